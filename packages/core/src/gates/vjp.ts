/** Vector-Jacobian products of a gate, for people who train it inside a model of their own. */
import { vjpGraph } from '../autodiff/gradients.js'
import type { Backend } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import type { ProgramCache } from '../backend/program-cache.js'
import { FepError } from '../errors.js'
import { optimize } from '../passes/optimize.js'
import { type Tensor, zeros } from '../tensor.js'
import { predictsToken } from './anticipation.js'
import type { ResolvedGateConfig } from './config.js'
import { precisionFeed } from './edge.js'
import { expectsNext } from './horizon.js'
import type { ParameterSpec, Params } from './parameters.js'
import type { PrecisionState } from './precision.js'
import { sequenceGraph } from './sequence.js'

/** Options of `gate.vjp`. */
export interface VjpOptions {
  readonly precision?: Tensor | PrecisionState
  /** As in routing. */
  readonly feedback?: Tensor
  /** bool (B,T). */
  readonly reset?: Tensor
}

/** Outputs that can be pulled back. */
export type Differentiable = 'weights' | 'logits' | 'next' | 'prediction'

/** Outputs and their pullback. */
export interface GateVjp {
  /** weights, logits, indices, margin; next and prediction where there is anticipation; memory. Host tensors. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /**
   * Pulls gradients back. May be called several times.
   * @param cotangents gradients of outputs, shaped like them; missing ones count as zero
   * @returns gradients by parameter name, and `x` (B,T,d)
   * @throws FEP_BAD_FEED for an unknown output or a wrong shape
   */
  vjp(
    cotangents: Partial<Readonly<Record<Differentiable, Tensor>>>,
  ): Promise<Readonly<Record<string, Tensor>>>
}

/** @internal */
export async function gateVjp(setup: {
  config: ResolvedGateConfig
  specs: readonly ParameterSpec[]
  programs: ProgramCache
  backend: Backend
  params: Params
  x: Tensor
  options: VjpOptions
}): Promise<GateVjp> {
  const { config, specs, programs, backend, params, x, options } = setup
  const reset = options.reset !== undefined
  const forms = { steps: x.shape[1] as number, reset, details: true }
  const of: Differentiable[] = ['weights', 'logits']
  if (expectsNext(config)) of.push('next')
  if (predictsToken(config.anticipation)) of.push('prediction')
  const feeds = {
    ...params,
    x,
    ...precisionFeed(
      config,
      options.precision,
      [x.shape[0] as number, forms.steps],
      'batch-major',
      options.feedback,
    ),
    ...(options.reset ? { reset: options.reset } : {}),
  }
  const forward = await programs.get(backend, `vjp/outputs/${forms.steps}/${reset}`, () =>
    optimize(sequenceGraph(config, forms)),
  )
  const outputs = await takeAll(await forward.run(feeds))
  return {
    outputs,
    vjp: async (cotangents) => {
      for (const name of Object.keys(cotangents))
        if (!(of as string[]).includes(name))
          throw new FepError('FEP_BAD_FEED', `vjp: '${name}' has no gradient; accepted: ${of.join(', ')}`)
      const given = of.filter((name) => cotangents[name] !== undefined)
      const wrt = [...specs.map((s) => s.name), 'x']
      const program = await programs.get(backend, `vjp/${forms.steps}/${reset}/${given.join()}`, () => {
        const graph = vjpGraph(sequenceGraph(config, forms), { of: given, wrt })
        return optimize({ ...graph, outputs: graph.outputs.filter((o) => o.name.startsWith('grad/')) })
      })
      if (given.length === 0)
        return Object.fromEntries([
          ...specs.map((s) => [s.name, zeros(s.shape)] as const),
          ['x', zeros(x.shape)] as const,
        ])
      const gradients = await takeAll(
        await program.run({
          ...feeds,
          ...Object.fromEntries(given.map((name) => [`cotangent/${name}`, cotangents[name] as Tensor])),
        }),
      )
      return Object.fromEntries(wrt.map((name) => [name, gradients[`grad/${name}`] as Tensor]))
    },
  }
}

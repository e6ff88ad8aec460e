/** A dense mixture layer with its gate: run, streamed, trained. */
import type { Backend, Feed } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError } from '../errors.js'
import type { ResolvedGateConfig } from '../gates/config.js'
import { checkTokens, precisionFeed } from '../gates/edge.js'
import { loadMechanisms } from '../gates/on-demand.js'
import {
  checkParams,
  type InitOptions,
  initialize,
  type ParameterSpec,
  type Params,
} from '../gates/parameters.js'
import type { PrecisionState } from '../gates/precision.js'
import type { GateStream } from '../gates/stream.js'
import type { Graph } from '../graph/types.js'
import { optimize } from '../passes/optimize.js'
import type { Tensor } from '../tensor.js'
import type { LossResult } from '../training/step-result.js'
import type { OptimizationOptions, TrainingLoop } from '../training/trainer.js'
import type { Experts } from './experts.js'
import { type MixtureConfig, resolveMixture } from './mixture-config.js'
import { type MixtureForm, mixtureGraph, mixtureLossGraph, mixtureParams } from './mixture-graph.js'

/** What goes into a mixture beside tokens. */
export interface MixtureOptions {
  /** Π, as for `gate.route`. */
  readonly precision?: Tensor | PrecisionState
  /** (B,T,E), as in routing; where the gate tracks precision. */
  readonly feedback?: Tensor
  /** bool (B,T): a new document starts here. */
  readonly reset?: Tensor
  /** float32 (B,T,E,outputs): added to what the experts return (the unreliable experts of Tables 2 and 3). */
  readonly noise?: Tensor
}

/** What comes out of B sequences of T tokens. Host tensors. */
export interface MixtureResult {
  /** (B,T,outputs) */
  readonly y: Tensor
  /** What each expert returns, noise included (B,T,E,outputs). */
  readonly outputs: Tensor
  /** (B,T,E) */
  readonly weights: Tensor
  /** int32 (B,T,k) */
  readonly indices: Tensor
  /** (B,T) */
  readonly margin: Tensor
  /** (B,T,E) */
  readonly logits: Tensor
}

/** One training batch. */
export interface MixtureBatch extends MixtureOptions {
  /** (B,T,d) float32. */
  readonly x: Tensor
  /** (B,T,outputs) float32. */
  readonly targets: Tensor
}

/** Results of one step; readable until the next step is done. */
export interface MixtureStep extends LossResult {
  /** Mean squared error of each expert alone (E), before the update: what precision tracks. */
  errors(): Promise<readonly number[]>
}

/** A mixture. Immutable; parameters and state are the caller's. */
export interface Mixture {
  readonly gate: ResolvedGateConfig
  readonly experts: Experts
  /** `router.*`, then `experts.e.net.{0,2}.*`. */
  readonly params: readonly ParameterSpec[]
  /** Draws the parameters of router and experts; the same seed gives the same bytes. */
  init(options: InitOptions): Params
  /** The sequence form as a graph, optimized. A router with belief or clock: after `loadMechanisms(gate)`. */
  graph(form: MixtureForm): Graph
  /** The training form: `loss` and `errors` (E), from `targets` (B,T,outputs). */
  lossGraph(form: MixtureForm & { readonly time?: 'sum' | 'mean' }): Graph
  /** Weighs the outputs of all experts, token by token. @param x (B,T,d) float32 */
  run(backend: Backend, params: Params, x: Tensor, options?: MixtureOptions): Promise<MixtureResult>
  /** One token per sequence at a time: results as of `run`, without the axis for time. No noise. */
  stream(
    backend: Backend,
    params: Params,
    options?: { readonly batch?: number },
  ): Promise<GateStream<MixtureResult>>
  /** Trains gate and experts together on a squared error; `time` as for a gate's loss, default `mean`. */
  trainer(
    backend: Backend,
    params: Params,
    options: OptimizationOptions & { readonly time?: 'sum' | 'mean' },
  ): Promise<TrainingLoop<MixtureBatch, MixtureStep>>
  /** Disposes the programs that `run` keeps for a backend. */
  release(backend: Backend): Promise<void>
}

/**
 * Makes a dense mixture layer.
 * @throws FEP_BAD_CONFIG with the path of the bad field
 * @example
 * const layer = createMixture({ dim: 16, experts: 4, router: { precision: { kind: 'gain' } }, expert: { width: 32, outputs: 1 } })
 */
export function createMixture(config: MixtureConfig): Mixture {
  const model = resolveMixture(config)
  const { gate, experts } = model
  const params = mixtureParams(model)
  const programs = new ProgramCache()
  const graph = (form: MixtureForm) => optimize(mixtureGraph(model, form))
  const feedsOf = (
    x: Tensor,
    { precision, feedback, reset, noise }: MixtureOptions,
  ): Record<string, Feed> => ({
    x,
    ...precisionFeed(gate, precision, [x.shape[0] as number, x.shape[1] as number], 'batch-major', feedback),
    ...(reset ? { reset } : {}),
    ...(noise ? { noise } : {}),
  })
  const formOf = (x: Tensor, { reset, noise }: MixtureOptions): MixtureForm => ({
    steps: x.shape[1] as number,
    reset: reset !== undefined,
    noise: noise !== undefined,
  })
  const keyOf = ({ steps, reset, noise }: MixtureForm) => `${steps}/${reset}/${noise}`
  return {
    gate,
    experts,
    params,
    init: (options) => initialize(params, options),
    graph,
    lossGraph: ({ time = 'mean', ...form }) => mixtureLossGraph(model, { ...form, time }),
    run: async (backend, values, x, options = {}) => {
      checkParams(params, values)
      checkTokens(x, gate.dim, 3)
      const form = formOf(x, options)
      const program = await programs.get(backend, keyOf(form), async () => {
        await loadMechanisms(gate)
        return graph(form)
      })
      return (await takeAll(
        await program.run({ ...values, ...feedsOf(x, options) }),
      )) as unknown as MixtureResult
    },
    stream: async (backend, values, { batch = 1 } = {}) => {
      checkParams(params, values)
      const [{ openStream }] = await Promise.all([import('../gates/serving.js'), loadMechanisms(gate)])
      const streaming = graph({ steps: 1, state: true })
      return openStream<MixtureResult>({ backend, config: gate, graph: streaming, params: values, batch })
    },
    trainer: async (backend, values, options) => {
      const { time = 'mean' } = options
      if (time !== 'mean' && time !== 'sum')
        throw new FepError('FEP_BAD_CONFIG', `trainer.time is ${String(time)}; accepted: 'mean', 'sum'`)
      const [{ openTrainer }] = await Promise.all([import('../gates/training.js'), loadMechanisms(gate)])
      return openTrainer<MixtureBatch, MixtureStep>(
        {
          specs: params,
          read: ({ x, targets, ...rest }) => {
            checkTokens(x, gate.dim, 3)
            const form = formOf(x, rest)
            return {
              form: { key: keyOf(form), graph: () => mixtureLossGraph(model, { ...form, time }) },
              feeds: { ...feedsOf(x, rest), targets },
            }
          },
          show: (results) => ({
            loss: async () => (await results.read('loss')).data[0] as number,
            errors: async () => Array.from((await results.read('errors')).data),
          }),
        },
        backend,
        values,
        options,
      )
    },
    release: (backend) => programs.clear(backend),
  }
}

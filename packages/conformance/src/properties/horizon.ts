/** What `horizon` and `next` say: which token a decision is for. */
import { createGate, type Gate, type Tensor } from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { stepOf, stepsOf } from '../frame/steps.js'
import { logitBound } from '../gates/agreement.js'
import { propertyCase } from './property.js'
import { type Drawn, gates, type Scene, sceneOf } from './scenes.js'

/** x with the predictions of a step behind it. */
function extended(x: Tensor, prediction: Tensor, step: number): Tensor {
  const [batch, , dim] = x.shape as [number, number, number]
  const data = new Float32Array(batch * (step + 2) * dim)
  const [head, tail] = [stepsOf(x, 0, step + 1), stepOf(prediction, step)]
  for (let b = 0; b < batch; b++) {
    const row = b * (step + 2) * dim
    data.set(head.data.subarray(b * (step + 1) * dim, (b + 1) * (step + 1) * dim), row)
    data.set(tail.data.subarray(b * dim, (b + 1) * dim), row + (step + 1) * dim)
  }
  return { dtype: 'float32', shape: [batch, step + 2, dim], data }
}

/** The distribution that a dense gate would return. */
async function nextAsStated(probe: Probe, gate: Gate, scene: Scene, drawn: Drawn): Promise<void> {
  const { params, x, precision } = scene
  const result = await gate.route(probe.backend, params, x, { ...precision, details: true })
  const bound = logitBound(gate, params, drawn.steps, result.logits)
  const within = { atol: 4 * bound + 2 ** -20, rtol: 0 }
  const kind = gate.config.anticipation?.kind
  const { belief, router } = gate.config
  probe.check(
    (result.next !== undefined) === (kind !== undefined || belief !== null),
    '`next` is there where the gate anticipates',
  )
  probe.check(
    gate.horizon === (kind === 'direct' || router === 'oracle' || belief?.horizon === 1 ? 1 : 0) &&
      result.horizon === gate.horizon,
    'the horizon is 1 where the decision is for the next token',
  )
  if (!result.next) return
  if (belief?.horizon === 0) {
    const { dim, experts, bias } = gate.config
    const evidence = gate.config.precision ? { precision: { kind: 'evidence' as const } } : {}
    const ahead = createGate({ dim, experts, bias, ...evidence, belief: { ...belief, horizon: 1 } })
    const { weights } = await ahead.route(probe.backend, params, x, precision)
    await ahead.release(probe.backend)
    return probe.compare('next', result.next, weights, within)
  }
  if (kind === 'direct' || belief) return probe.compare('next', result.next, result.weights, within)
  const step = (drawn.at[0] as number) % drawn.steps
  const prediction = probe.present('prediction', result.prediction)
  const ahead = await gate.route(probe.backend, params, extended(x, prediction, step), precision)
  await probe.compare('next', stepOf(result.next, step), stepOf(ahead.weights, step + 1), within)
}

const horizon = propertyCase<Drawn>({
  id: 'next-is-what-it-says',
  seed: 614,
  note: 'direct: `next` is the decision itself; additive: the decision on the predicted token, had it come; belief: what it decides at horizon 1',
  things: gates.map((drawn) => ({
    ...drawn,
    config: { ...drawn.config, select: { kind: 'dense' as const } },
  })),
  holds: async (probe, drawn) => {
    const scene = sceneOf(drawn)
    await nextAsStated(probe, scene.gate, scene, drawn)
    await scene.gate.release(probe.backend)
  },
})

/** See the file's header. */
export const horizons = (): ProcedureCase[] => [horizon]

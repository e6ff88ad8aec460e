/** What `horizon` and `next` say: which token a decision is for. */
import { type ComposedGateConfig, createGate, type Gate, type Tensor } from '@fep-moe/core'
import type { ProcedureCase, Tolerance } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { stepOf, stepsOf } from '../frame/steps.js'
import { logitBound } from '../gates/agreement.js'
import { cutTold } from '../gates/case.js'
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

/** A gate that anticipates a distribution decides by the mean of that and of what it would say without. */
async function meanOfBoth(
  probe: Probe,
  { params, x, precision }: Scene,
  { config }: Drawn,
  { weights, next }: { readonly weights: Tensor; readonly next: Tensor },
  within: Tolerance,
): Promise<void> {
  const { anticipation: _, ...rest } = config as ComposedGateConfig
  const alone = createGate(rest)
  const own = Object.fromEntries(alone.params.map(({ name }) => [name, probe.present(name, params[name])]))
  const { weights: other } = await alone.route(probe.backend, own, x, precision)
  const mean = next.data.map((r, i) => (r + (other.data[i] as number)) / 2)
  await probe.compare('the mean of both', weights, { ...next, data: mean as Float32Array }, within)
  await alone.release(probe.backend)
}

/** A belief gate that decides for the token it is given expects what its twin, which decides ahead, decides. */
async function expectation(
  probe: Probe,
  { params, x, precision }: Scene,
  { config }: Drawn,
  next: Tensor,
  within: Tolerance,
): Promise<void> {
  const { belief, ...rest } = config as ComposedGateConfig
  const ahead = createGate({ ...rest, belief: { ...belief, horizon: 1 } })
  const { weights } = await ahead.route(probe.backend, params, x, precision)
  await probe.compare('next', next, weights, within)
  await ahead.release(probe.backend)
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
    gate.horizon ===
      (kind === 'direct' || kind === 'logits' || router === 'oracle' || belief?.horizon === 1 ? 1 : 0) &&
      result.horizon === gate.horizon,
    'the horizon is 1 where the decision is for the next token',
  )
  if (!result.next) return
  if (belief?.horizon === 0) return expectation(probe, scene, drawn, result.next, within)
  if (kind === 'direct' || kind === 'logits' || belief)
    return probe.compare('next', result.next, result.weights, within)
  if (kind === 'distribution')
    return meanOfBoth(probe, scene, drawn, { ...result, next: result.next }, within)
  const step = (drawn.at[0] as number) % drawn.steps
  const prediction = probe.present('prediction', result.prediction)
  const { feedback } = precision
  // What is expected now rests on Π as it is: no errors come with the token after.
  const none = feedback && { ...feedback, data: feedback.data.map(() => -1) as Tensor['data'] }
  const options =
    feedback && none
      ? { feedback: extended(feedback, none, step) }
      : cutTold(precision, (t) => extended(t, t, step))
  const ahead = await gate.route(probe.backend, params, extended(x, prediction, step), options)
  await probe.compare('next', stepOf(result.next, step), stepOf(ahead.weights, step + 1), within)
}

const horizon = propertyCase<Drawn>({
  id: 'next-is-what-it-says',
  seed: 614,
  note: 'direct and logits: `next` is the decision itself; additive: the decision on the predicted token, had it come; distribution: the half of the decision that was anticipated; belief: what it decides at horizon 1',
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

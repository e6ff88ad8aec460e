/** Parameters of the belief gate, and where they start: no two states with one meaning, durations within the phases. */
import type { ResolvedGateConfig } from './config.js'
import { linearSpecs, type ParameterSpec } from './parameters.js'

/** A resolved belief gate. */
export type Belief = NonNullable<ResolvedGateConfig['belief']>

/** A parameter that starts at given numbers, which a start by layers would not suit. */
export function startingAt(
  name: string,
  shape: readonly number[],
  value: (i: number) => number,
): ParameterSpec {
  const count = shape.reduce((n, d) => n * d, 1)
  const [fanOut = 1, fanIn = 1] = shape
  return {
    name,
    shape,
    fanIn,
    fanOut,
    kind: 'values',
    values: Array.from({ length: count }, (_, i) => value(i)),
  }
}

/** How a state's own expert starts out, in logits: enough to tell states apart, too little to bind them to a decoy. */
const OWN = 0.5

/**
 * Evidence starts four times larger than torch starts a layer. Read-outs, which learn faster, then settle on what the
 * evidence of each state happens to tell apart; where it tells little, they settle on the same for all states first.
 */
const telling = (spec: ParameterSpec): ParameterSpec => ({ ...spec, fanIn: spec.fanIn / 16 })

/** What a phase-type phase stays with at the start: four steps a phase. */
const ADVANCE = Math.log(1 / 3)

/**
 * `evidence.*` (S, d), or `evidence.0.*` and `evidence.2.*` with hidden units; `prior` (S); `hazard` (S, M); `advance`
 * (S, M) where phases may stay; `cue.weight` (S, d) where hazards depend on the token; `transition` (S, S); `readout` (E, S).
 * State s starts as the state of expert s mod E: from equal read-outs, states that learn the same evidence are a saddle.
 */
export function beliefParams(
  { dim, experts, bias }: ResolvedGateConfig,
  { states, phases, duration, width, cues, gain }: Belief,
): ParameterSpec[] {
  const perPhase = duration === 'chain' ? 1 : 1 + Math.exp(-ADVANCE)
  return [
    ...(width === null
      ? linearSpecs('evidence', dim, states, bias).map(telling)
      : [
          ...linearSpecs('evidence.0', dim, width),
          ...linearSpecs('evidence.2', width, states, bias).map(telling),
        ]),
    startingAt('prior', [states], () => 0),
    // A mean duration of about half of what the phases can tell apart.
    startingAt('hazard', [states, phases], () => -Math.log((phases * perPhase) / 2) / gain),
    ...(duration === 'chain' ? [] : [startingAt('advance', [states, phases], () => ADVANCE / gain)]),
    ...(cues ? [startingAt('cue.weight', [states, dim], () => 0)] : []),
    startingAt('transition', [states, states], () => 0),
    startingAt('readout', [experts, states], (i) =>
      Math.floor(i / states) === (i % states) % experts ? OWN / gain : 0,
    ),
  ]
}

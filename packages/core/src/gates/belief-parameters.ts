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

/** Share of a state's mass that starts on its own expert: e² to 1 against each of the others. */
const OWN = 2

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
      ? linearSpecs('evidence', dim, states, bias)
      : [...linearSpecs('evidence.0', dim, width), ...linearSpecs('evidence.2', width, states, bias)]),
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

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

/** Logit by which copies start out as what comes later: entered from the others, and not begun with. */
const LATER = 4

/** Steps that a phase of a phase-type law lasts at the start. */
const PER_PHASE = 4

/**
 * `evidence.*` (S, d), or `evidence.0.*` and `evidence.2.*` with hidden units; `prior` (S); `hazard` (S, M); `advance`
 * (S, M) where phases may stay; `cue.weight` (S·K, d) where hazards depend on the last K tokens, row s·K + j for the j-th
 * before; `transition` (S, S); `readout` (E, S).
 * State s starts as a state of expert s mod E: from equal read-outs, states that learn the same evidence are a saddle. Copies
 * start with the same evidence and differ in when they come.
 */
export function beliefParams(
  { dim, experts, bias }: ResolvedGateConfig,
  { states: kinds, copies, phases, duration, width, cues, gain }: Belief,
): ParameterSpec[] {
  const states = kinds * copies
  // Evidence starts four times larger than torch starts a layer. Read-outs, which learn faster, then settle on what the
  // evidence of each state happens to tell apart; where it tells little, they settle on the same for all states first.
  const telling = (from: string, inputs: number): ParameterSpec[] =>
    linearSpecs(from, inputs, states, bias).map((spec) => ({
      ...spec,
      fanIn: inputs / 16,
      rows: kinds,
    }))
  const round = (state: number) => Math.floor(state / kinds)
  const perPhase = duration === 'chain' ? 1 : PER_PHASE
  return [
    ...(width === null
      ? telling('evidence', dim)
      : [...linearSpecs('evidence.0', dim, width), ...telling('evidence.2', width)]),
    startingAt('prior', [states], (s) => (round(s) ? -LATER / gain : 0)),
    // A mean duration of about half of what the phases can tell apart.
    startingAt('hazard', [states, phases], () => -Math.log((phases * perPhase) / 2) / gain),
    ...(duration === 'chain'
      ? []
      : [startingAt('advance', [states, phases], () => -Math.log(PER_PHASE - 1) / gain)]),
    ...(cues ? [startingAt('cue.weight', [states * cues, dim], () => 0)] : []),
    startingAt('transition', [states, states], (i) =>
      round(i / states) === round(i % states) ? 0 : LATER / gain,
    ),
    startingAt('readout', [experts, states], (i) =>
      Math.floor(i / states) === ((i % states) % kinds) % experts ? OWN / gain : 0,
    ),
  ]
}

/**
 * One step of the belief filter, as the body of a Scan. It carries the belief before the token's evidence, so what it
 * leaves is the expectation of the next token; probabilities, normalized at every step.
 */
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  concat,
  div,
  expand,
  matmul,
  mul,
  pad,
  reshape,
  scan,
  sigmoid,
  slice,
  sub,
  sum,
  where,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'

/**
 * Mass that enters every state at every step whatever was learned. The state with the most evidence then has some, so the
 * normalizer is never 0 and a filter that was sure of the wrong thing comes back; too small to be seen in a loss.
 */
export const FLOOR = 1e-12

/** What a step needs, phases first: (M, S, B). */
export interface StepOperands {
  /** Belief before the evidence (M, S, B). */
  readonly belief: Value
  /** exp of the log evidence, 1 for the best state (1, S, B). */
  readonly evidence: Value
  /** Where hazards depend on the token: what is added to their logits (1, S, B). */
  readonly cue?: Value | undefined
  /** bool (1, 1, B): a document starts here. */
  readonly fresh?: Value | undefined
  /** Probability to leave each phase (M, S, 1); its logit where there is a cue. */
  readonly leave: Value
  /** Probability to advance, of those who do not leave (M, S, 1), where phases may stay. */
  readonly advance?: Value | undefined
  /** Where those who leave go (S, S): column s is where state s goes. */
  readonly enter: Value
  /** The belief that a document starts with (M, S, 1), beside `fresh`. */
  readonly start?: Value | undefined
}

/** What a step finds. */
export interface StepResults {
  /** Belief before the evidence of the next token (M, S, B). */
  readonly belief: Value
  /** States after the evidence, and expected of the next token (1, S, B). */
  readonly filtered: Value
  readonly expected: Value
  /** Σ belief · evidence (1, 1, B). */
  readonly normalizer: Value
}

/** Weighs, normalizes and predicts. No reshapes: a backend may then run every sequence by itself. */
export function filterStep({
  belief,
  evidence,
  cue,
  fresh,
  leave,
  advance,
  enter,
  start,
}: StepOperands): StepResults {
  const phases = belief.shape[0] as number
  const weighed = mul(fresh && start ? where(fresh, start, belief) : belief, evidence)
  const perState = sum(weighed, 0, true)
  const normalizer = sum(perState, 1, true)
  const scale = div(1, normalizer)
  const filtered = mul(weighed, scale)
  const leaving = mul(filtered, cue ? sigmoid(add(leave, cue)) : leave)
  const kept = sub(filtered, leaving)
  const entering = add(matmul(enter, sum(leaving, 0, true)), FLOOR)
  return {
    belief: shift(entering, kept, advance, phases),
    filtered: mul(perState, scale),
    expected: add(sum(kept, 0, true), entering),
    normalizer,
  }
}

/** Moves phases on. The last one keeps what it has. */
function shift(entering: Value, kept: Value, advance: Value | undefined, phases: number): Value {
  if (phases === 1) return add(entering, kept)
  if (advance) {
    const moved = mul(slice(kept, 0, 0, phases - 1), slice(advance, 0, 0, phases - 1))
    return add(kept, sub(concat([entering, moved], 0), pad(moved, 0, 0, 1)))
  }
  const last = add(slice(kept, 0, phases - 2, phases - 1), slice(kept, 0, phases - 1))
  return concat([entering, slice(kept, 0, 0, phases - 2), last], 0)
}

/** What a step may return beside the belief. */
export type Wanted = Exclude<keyof StepResults, 'belief'>

/**
 * The step over all of time.
 * @param first belief before the first token (M, S, B)
 * @param tokens operands with a time axis before the batch: (1, S, T, B), (1, 1, T, B)
 * @param constant operands that are the same at every step
 * @returns the last belief, the belief after each step (M, S, T, B) where it is asked for, and what is wanted, with time
 */
export function runFilter(
  first: Value,
  tokens: Pick<StepOperands, 'evidence' | 'cue' | 'fresh'>,
  constant: Omit<StepOperands, 'belief' | keyof typeof tokens>,
  wanted: readonly Wanted[],
  history: boolean,
): { readonly last: Value; readonly history?: Value } & Partial<Record<Wanted, Value>> {
  const { builder, shape } = first
  const steps = tokens.evidence.shape[2] as number
  const withTime = (v: Value) => reshape(v, [...v.shape.slice(0, 2), 1, v.shape[2] as Dim])
  if (steps === 1) {
    const now = Object.fromEntries(
      named(tokens).map(([name, v]) => [name, reshape(v, [...v.shape.slice(0, 2), v.shape[3] as Dim])]),
    ) as unknown as typeof tokens
    const found = filterStep({ belief: first, ...now, ...constant })
    return {
      ...Object.fromEntries(wanted.map((name) => [name, withTime(found[name])])),
      last: found.belief,
      ...(history && { history: withTime(found.belief) }),
    }
  }
  if (steps === 0) {
    const none = (states: Dim) => expand(builder.constant(1), [1, states, 0, shape[2] as Dim])
    const all = wanted.map((name) => [name, none(name === 'normalizer' ? 1 : (shape[1] as Dim))])
    const past = history && {
      history: expand(builder.constant(0), [...shape.slice(0, 2), 0, shape[2] as Dim]),
    }
    return { ...Object.fromEntries(all), last: first, ...past }
  }
  const body = new GraphBuilder('belief')
  const [xs, consts] = [named(tokens), named(constant)]
  const operands = Object.fromEntries([
    ['belief', body.input('belief', 'float32', shape)] as const,
    ...xs.map(
      ([name, v]) =>
        [
          name,
          body.input(
            name,
            v.dtype,
            v.shape.filter((_, i) => i !== 2),
          ),
        ] as const,
    ),
    ...consts.map(([name, v]) => [name, body.input(name, v.dtype, v.shape)] as const),
  ]) as unknown as StepOperands
  const found = filterStep(operands)
  body.output('next', found.belief)
  for (const name of wanted) body.output(name, found[name])
  if (history) body.output('history', found.belief)
  const { last, ys } = scan(
    body.build(),
    { init: [first], xs: xs.map(([, v]) => v), consts: consts.map(([, v]) => v) },
    { axis: 2, batchAxis: 2 },
  )
  return {
    ...Object.fromEntries(wanted.map((name, i) => [name, ys[i]])),
    last: last[0] as Value,
    ...(history && { history: ys[wanted.length] as Value }),
  }
}

/** Operands that are there. */
const named = (operands: Readonly<Record<string, Value | undefined>>) =>
  Object.entries(operands).filter((entry): entry is [string, Value] => entry[1] !== undefined)

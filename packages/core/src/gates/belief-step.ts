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
  permute,
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

/** What a step carries: (S, M, B) before the evidence of the token, and its sums over phases (S, 1, B). */
export interface Carried {
  readonly belief: Value
  readonly mass: Value
  /** Where hazards depend on K > 1 tokens: what those so far add at the next K - 1 steps (S, K - 1, B). */
  readonly cues?: Value | undefined
}

/** What a step is given of its token. */
export interface StepToken {
  /** exp of the log evidence, 1 for the best state (S, 1, B). */
  readonly evidence: Value
  /** Where hazards depend on tokens: what this one adds to their logits now and at the next steps (S, K, B). */
  readonly cue?: Value | undefined
  /** bool (1, 1, B): a document starts here. */
  readonly fresh?: Value | undefined
}

/** What is the same at every step. */
export interface StepConstants {
  /** Beside a cue: logits of the probability to leave each phase (S, M, 1). */
  readonly leave?: Value | undefined
  /** Without: the probabilities to leave and to stay (S, 2, M). */
  readonly either?: Value | undefined
  /** Where those who stay go (S, M - 1, M) or (1, M - 1, M): row a for phase a + 1. Without a cue times the probability to stay. */
  readonly onward?: Value | undefined
  /** As `onward`, for the first phase (S, 1, M), where it may be stayed in. */
  readonly waiting?: Value | undefined
  /** Where those who leave go (S, S): column s is where state s goes. */
  readonly enter: Value
  /** The belief that a document starts with (S, M, 1), and its sums (S, 1, 1), beside `fresh`. */
  readonly start?: Value | undefined
  readonly prior?: Value | undefined
}

/** What a step finds. */
export interface StepResults extends Carried {
  /** States after the evidence (S, 1, B). Those expected of the next token are `mass`. */
  readonly filtered: Value
  /** Σ belief · evidence (1, 1, B). */
  readonly normalizer: Value
}

/**
 * Weighs, normalizes and predicts. Evidence is of a state, so sums over phases say all that normalizing needs, and phases
 * are touched by products alone. No reshapes: a backend may then run every sequence by itself.
 */
export function filterStep(carried: Carried, token: StepToken, constants: StepConstants): StepResults {
  const { evidence, cue, fresh } = token
  const { leave, either, onward, waiting, enter, start, prior } = constants
  const begin = (v: Value, first: Value | undefined) => (fresh && first ? where(fresh, first, v) : v)
  const heard = cue && hear(cue, carried.cues && begin(carried.cues, cue.builder.constant(0)))
  const perState = mul(begin(carried.mass, prior), evidence)
  const normalizer = sum(perState, 0, true)
  const weighed = mul(begin(carried.belief, start), div(evidence, normalizer))
  const { leaving, staying, kept } =
    heard && leave ? splitBy(weighed, sigmoid(add(leave, heard.now))) : splitFixed(weighed, either as Value)
  const across = (v: Value) => permute(v, [1, 0, 2])
  const entering = add(across(matmul(enter, across(leaving))), FLOOR)
  const first = waiting ? add(entering, matmul(waiting, kept)) : entering
  return {
    belief: onward ? concat([first, matmul(onward, kept)], 1) : add(entering, staying),
    mass: add(staying, entering),
    cues: heard?.later,
    filtered: div(perState, normalizer),
    normalizer,
  }
}

/** Adds what a token says of this step and the next ones to what those before it said. */
function hear(cue: Value, before: Value | undefined): { readonly now: Value; readonly later?: Value } {
  if (!before) return { now: cue }
  const taps = cue.shape[1] as number
  const said = slice(cue, 1, 1, taps)
  return {
    now: add(slice(cue, 1, 0, 1), slice(before, 1, 0, 1)),
    later: taps === 2 ? said : add(said, pad(slice(before, 1, 1, taps - 1), 1, 0, 1)),
  }
}

/** Sums of those who leave and of those who stay (S, 1, B), and the phases that the latter were in. */
interface Split {
  readonly leaving: Value
  readonly staying: Value
  readonly kept: Value
}

function splitBy(weighed: Value, leave: Value): Split {
  const leaving = mul(weighed, leave)
  const kept = sub(weighed, leaving)
  return { leaving: sum(leaving, 1, true), staying: sum(kept, 1, true), kept }
}

/** `kept` are all: `onward` and `waiting` take those who stay. */
function splitFixed(weighed: Value, either: Value): Split {
  const sums = matmul(either, weighed)
  return { leaving: slice(sums, 1, 0, 1), staying: slice(sums, 1, 1, 2), kept: weighed }
}

/**
 * Where those who stay go, phase by phase: on, or, with `advance` (S, 1, M), on or not. The last phase keeps what it has.
 * @param staying probability to stay (S, 1, M), where it is the same for all tokens
 */
export function phaseMoves(
  builder: GraphBuilder,
  phases: number,
  advance: Value | undefined,
  staying: Value | undefined,
): Pick<StepConstants, 'onward' | 'waiting'> {
  if (phases === 1) return {}
  const matrix = (rows: number, entry: (row: number, column: number) => boolean) =>
    builder.constant(
      Array.from({ length: rows * phases }, (_, i) => +entry(Math.floor(i / phases), i % phases)),
      [1, rows, phases],
    )
  const times = (v: Value) => (staying ? mul(v, staying) : v)
  const last = (row: number, column: number) => row === phases - 2 && column === phases - 1
  if (!advance)
    return { onward: times(matrix(phases - 1, (row, column) => column === row || last(row, column))) }
  const halting = sub(1, advance)
  const moved = mul(
    matrix(phases - 1, (row, column) => column === row),
    advance,
  )
  const halted = mul(
    matrix(phases - 1, (row, column) => column === row + 1 && !last(row, column)),
    halting,
  )
  return {
    onward: times(add(add(moved, halted), matrix(phases - 1, last))),
    waiting: times(
      mul(
        matrix(1, (_, column) => column === 0),
        halting,
      ),
    ),
  }
}

/** What a step may return beside what it carries. */
export type Wanted = 'expected' | 'filtered' | 'normalizer'

const wantedOf = ({ mass, filtered, normalizer }: StepResults): Record<Wanted, Value> => ({
  expected: mass,
  filtered,
  normalizer,
})

/**
 * The step over all of time.
 * @param first before the first token
 * @param token operands with a time axis before the batch: (S, 1, T, B), (1, 1, T, B)
 * @returns what is carried on, the belief after each step (S, M, T, B) where it is asked for, and what is wanted, with time
 */
export function runFilter(
  first: Carried,
  token: StepToken,
  constants: StepConstants,
  wanted: readonly Wanted[],
  history: boolean,
): { readonly last: Omit<Carried, 'mass'>; readonly history?: Value } & Partial<Record<Wanted, Value>> {
  const { builder, shape } = first.belief
  const [states, , batch] = shape as [number, number, Dim]
  const steps = token.evidence.shape[2] as number
  const withTime = (v: Value) => reshape(v, [...v.shape.slice(0, 2), 1, batch])
  if (steps === 1) {
    const now = Object.fromEntries(
      named(token).map(([name, v]) => [name, reshape(v, [...v.shape.slice(0, 2), batch])]),
    ) as unknown as StepToken
    const found = filterStep(first, now, constants)
    return {
      ...Object.fromEntries(wanted.map((name) => [name, withTime(wantedOf(found)[name])])),
      last: found,
      ...(history && { history: withTime(found.belief) }),
    }
  }
  if (steps === 0) {
    const none = (rows: Dim) => expand(builder.constant(1), [rows, 1, 0, batch])
    const all = wanted.map((name) => [name, none(name === 'normalizer' ? 1 : states)])
    const past = history && {
      history: expand(builder.constant(0), [...shape.slice(0, 2), 0, batch]),
    }
    return { ...Object.fromEntries(all), last: first, ...past }
  }
  const body = new GraphBuilder('belief')
  const declare = (operands: object, drop?: number) =>
    Object.fromEntries(
      named(operands).map(([name, v]) => [
        name,
        body.input(
          name,
          v.dtype,
          v.shape.filter((_, i) => i !== drop),
        ),
      ]),
    ) as unknown
  const inside = [declare(first), declare(token, 2), declare(constants)] as [
    Carried,
    StepToken,
    StepConstants,
  ]
  const found = filterStep(...inside)
  const results = wantedOf(found)
  body.output('belief', found.belief)
  body.output('mass', found.mass)
  if (found.cues) body.output('cues', found.cues)
  for (const name of wanted) body.output(name, results[name])
  if (history) body.output('history', found.belief)
  const values = (operands: object) => named(operands).map(([, v]) => v)
  const { last, ys } = scan(
    body.build(),
    { init: values(first), xs: values(token), consts: values(constants) },
    { axis: 2, batchAxis: 2 },
  )
  return {
    ...Object.fromEntries(wanted.map((name, i) => [name, ys[i]])),
    last: { belief: last[0] as Value, cues: last[2] },
    ...(history && { history: ys[wanted.length] as Value }),
  }
}

/** Operands that are there. */
const named = (operands: object) =>
  Object.entries(operands).filter((entry): entry is [string, Value] => entry[1] !== undefined)

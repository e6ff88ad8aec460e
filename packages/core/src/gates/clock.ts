/**
 * The clock: readings of the number of tokens since a sequence began. Leaky integrators of a constant current and damped
 * resonators are linear, so both have a closed form in that number, which is all the state there is. Loaded on demand.
 */
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  clip,
  concat,
  cos,
  cumsum,
  exp,
  expand,
  linearScan,
  log,
  mean,
  mul,
  reshape,
  scan,
  sigmoid,
  sin,
  sub,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { type Clock, CURRENT } from './clock-parameters.js'
import type { GateOperands } from './compose.js'
import { flattenTokens } from './feature-major.js'
import { keepOf } from './memory.js'

type Params = Readonly<Record<string, Value>>

/**
 * Readings of ages.
 * @param age tokens so far (1, …), 1 at the first
 * @returns c (integrators + 2 · resonators, …)
 */
export function readClock({ integrators, resonators }: Clock, params: Params, age: Value): Value {
  const column = (name: string, count: number) =>
    reshape(params[`clock.${name}`] as Value, [count, ...age.shape.slice(1).map(() => 1)])
  const power = (name: string, count: number) =>
    exp(mul(log(sigmoid(clip(column(name, count), -30, 30))), age))
  const parts: Value[] = []
  if (integrators > 0) parts.push(mul(sub(1, power('beta_raw', integrators)), CURRENT))
  if (resonators > 0) {
    const phase = mul(column('frequency', resonators), age)
    const amplitude = power('decay_raw', resonators)
    parts.push(mul(amplitude, cos(phase)), mul(amplitude, sin(phase)))
  }
  return concat(parts, 0)
}

/**
 * Readings of the clock (K, N), now and one token later, and what it carries.
 * @param beta decay of the memory, where there is one
 */
export function tellTime(
  builder: GraphBuilder,
  clock: Clock,
  { params, x, state = {}, reset }: GateOperands,
  beta: Value | undefined,
) {
  return builder.scope('clock', () => {
    const surprise = clock.surpriseReset && beta ? { beta, h: state.memory ?? 0 } : undefined
    const { age, last, membrane } = clockReadings(params, x, state.clock ?? 0, reset, surprise)
    const flat = flattenTokens(age)
    return {
      readings: readClock(clock, params, flat),
      later: () => builder.scope('clock', () => readClock(clock, params, add(flat, 1))),
      states: { clock: last },
      membrane,
    }
  })
}

/** Ages of tokens, and the memory where surprise sets both back. */
export interface ClockReadings {
  /** (1, T, B) */
  readonly age: Value
  /** (1, 1, B) */
  readonly last: Value
  /** The memory after each step (d, T, B) and after the last (d, 1, B), where it was run along. */
  readonly membrane?: { readonly h: Value; readonly last: Value }
}

/**
 * Counts tokens.
 * @param x (d, T, B)
 * @param age age before the first token (1, 1, B), or 0
 * @param beta (d, 1, 1), and the memory before (d, 1, B): where surprise resets
 * @param reset bool (T, B)
 */
export function clockReadings(
  params: Params,
  x: Value,
  age: Value | number,
  reset?: Value,
  surprise?: { readonly beta: Value; readonly h: Value | number },
): ClockReadings {
  const [dim, steps, batch] = x.shape as [number, number, Dim]
  if (surprise && steps > 0) return withSurprise(params, x, age, surprise, reset)
  const one = x.builder.constant(1, [1, 1, 1])
  const ones = expand(one, [1, steps, batch])
  if (!reset && typeof age === 'number') {
    const counted = cumsum(ones, 1)
    return { age: counted, last: expand(x.builder.constant(steps, [1, 1, 1]), [1, 1, batch]) }
  }
  const { h, last } = linearScan(reset ? keepOf(reset) : one, ones, age, { axis: 1 })
  const empty = surprise && { membrane: { h: x, last: asState(surprise.h, x, dim) } }
  return { age: h, last, ...empty }
}

const asState = (v: Value | number, x: Value, width: number): Value =>
  typeof v === 'number' ? expand(x.builder.constant(v), [width, 1, x.shape[2] as Dim]) : v

/**
 * Memory and clock under surprise. The memory's mean (1 − β) h is what it expects of the token; ε = mean_j π_j (x − (1 −
 * β) h)²_j with learned precisions π; the share σ(a ε + b) of memory and age is forgotten before the token is taken in.
 */
function withSurprise(
  params: Params,
  x: Value,
  age: Value | number,
  { beta, h }: { readonly beta: Value; readonly h: Value | number },
  reset?: Value,
): ClockReadings {
  const [dim, steps, batch] = x.shape as [number, number, Dim]
  const body = new GraphBuilder('surprise')
  const input = (name: string, shape: readonly Dim[]) => body.input(name, 'float32', shape)
  const [h0, n0] = [input('h', [dim, batch]), input('age', [1, batch])]
  const token = input('x', [dim, batch])
  const keep = reset && input('keep', [1, batch])
  const [decay, pi] = [input('beta', [dim, 1]), input('pi', [dim, 1])]
  const [slope, offset] = [input('slope', [1, 1]), input('offset', [1, 1])]
  const [before, count] = keep ? [mul(h0, keep), mul(n0, keep)] : [h0, n0]
  const error = sub(token, mul(sub(1, decay), before))
  const epsilon = mean(mul(mul(error, error), pi), 0, true)
  const stay = sub(1, sigmoid(add(mul(slope, epsilon), offset)))
  const after = add(mul(decay, mul(stay, before)), token)
  const next = add(mul(stay, count), 1)
  body.output('h', after)
  body.output('age', next)
  body.output('h_t', after)
  body.output('age_t', next)
  const flat = (v: Value, width: number) => reshape(v, [width, batch])
  const { last, ys } = scan(
    body.build(),
    {
      init: [flat(asState(h, x, dim), dim), flat(asState(age, x, 1), 1)],
      xs: [x, ...(reset ? [keepOf(reset)] : [])],
      consts: [
        reshape(beta, [dim, 1]),
        exp(clip(reshape(params['clock.surprise_log_pi'] as Value, [dim, 1]), -10, 10)),
        reshape(params['clock.surprise_slope'] as Value, [1, 1]),
        reshape(params['clock.surprise_offset'] as Value, [1, 1]),
      ],
    },
    { axis: 1, batchAxis: 1 },
  )
  const atEdge = (v: Value | undefined, width: number) => reshape(v as Value, [width, 1, batch])
  return {
    age: reshape(ys[1] as Value, [1, steps, batch]),
    last: atEdge(last[1], 1),
    membrane: { h: (ys[0] as Value).named('h'), last: atEdge(last[0], dim).named('h_last') },
  }
}

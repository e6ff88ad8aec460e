/**
 * The membrane per expert (paper A, Table 1): an integrator of logits with a threshold. The soft cap and the resets make
 * it non-linear, so it is a Scan; a single step is the same expression without one.
 */
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  cast,
  expand,
  greater,
  min,
  mul,
  reshape,
  scan,
  stopGradient,
  sub,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import type { ResolvedGateConfig } from './config.js'
import { keepOf } from './memory.js'

/** A resolved membrane. */
export type Membrane = Extract<NonNullable<ResolvedGateConfig['memory']>, { readonly kind: 'membrane' }>

/** What a membrane makes of a sequence of currents. */
export interface Charged {
  /** U before the soft cap (E, T, B): what is compared with θ. */
  readonly drive: Value
  /** U after each step (E, T, B), and after the last (E, 1, B). */
  readonly membrane: Value
  readonly last: Value
}

/** One step. `before`, `current` (E, B), `beta` (E, 1), `keep` (1, B). */
function step(
  { reset, threshold }: Membrane,
  beta: Value,
  before: Value,
  current: Value,
  keep: Value | undefined,
): { drive: Value; after: Value } {
  // A reset concerns the crossing of the step before, of the same document. Its indicator has no gradient (as snnTorch).
  const state = keep ? mul(before, keep) : before
  const crossed = () => stopGradient(cast(greater(state, threshold), 'float32'))
  const rest = reset === 'zero' ? mul(state, sub(1, crossed())) : state
  const charged = add(mul(beta, rest), current)
  const drive = reset === 'subtract' ? sub(charged, mul(crossed(), threshold)) : charged
  return { drive, after: reset === 'soft-cap' ? min(drive, threshold) : drive }
}

/**
 * Runs membranes over currents.
 * @param beta (E, 1, 1)
 * @param current W x + b, (E, T, B)
 * @param before U before the first step (E, 1, B); default 0
 * @param reset bool (T, B): true clears U before the step
 */
export function charge(
  memory: Membrane,
  beta: Value,
  current: Value,
  before?: Value,
  reset?: Value,
): Charged {
  const { builder } = current
  const [experts, steps, batch] = current.shape as [number, number, Dim]
  const flat = reshape(beta, [experts, 1])
  const initial = before ? reshape(before, [experts, batch]) : expand(builder.constant(0), [experts, batch])
  const keep = reset && keepOf(reset)
  const atEdge = (v: Value) => reshape(v, [experts, 1, batch])
  if (steps === 1) {
    const found = step(
      memory,
      flat,
      initial,
      reshape(current, [experts, batch]),
      keep && reshape(keep, [1, batch]),
    )
    const after = atEdge(found.after)
    return { drive: atEdge(found.drive), membrane: after, last: after }
  }
  if (steps === 0) return { drive: current, membrane: current, last: atEdge(initial) }
  const body = new GraphBuilder('membrane')
  const u = body.input('u', 'float32', [experts, batch])
  const i = body.input('current', 'float32', [experts, batch])
  const k = keep && body.input('keep', 'float32', [1, batch])
  const { drive, after } = step(memory, body.input('beta', 'float32', [experts, 1]), u, i, k)
  body.output('u', after)
  body.output('membrane', after)
  const capped = memory.reset === 'soft-cap'
  if (capped) body.output('drive', drive)
  const { last, ys } = scan(
    body.build(),
    { init: [initial], xs: keep ? [current, keep] : [current], consts: [flat] },
    { axis: 1, batchAxis: 1 },
  )
  const [membrane, drives = membrane] = ys as [Value, Value?]
  return { drive: drives as Value, membrane, last: atEdge(last[0] as Value) }
}

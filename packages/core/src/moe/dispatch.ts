/**
 * Pairs of token and expert, sorted by expert, and what experts return brought back to tokens. Shapes are fixed and the sort is
 * stable, so that equal decisions give equal bytes.
 */
import type { GraphBuilder, Value } from '../graph/builder.js'
import {
  add,
  cast,
  concat,
  cumsum,
  div,
  expand,
  gather,
  greater,
  greaterOrEqual,
  min,
  mul,
  permute,
  reshape,
  scatterAdd,
  scatterElementsAdd,
  slice,
  sub,
  sum,
  topk,
  where,
} from '../graph/expressions.js'

/** Rows of a layer, and the way back. */
export interface Rows {
  /** int32 (R): the token of each row. */
  readonly tokens: Value
  /** int32 (R): its expert; E where the row belongs to nobody. */
  readonly experts: Value
  /** int32 (E + 1): rows offsets[e]..offsets[e + 1] belong to expert e. */
  readonly offsets: Value
  /** float32 (E): pairs of each expert. */
  readonly load: Value
  /** Sums what the rows of each token hold, weighed: (R, d) → (N, d). */
  combine(rows: Value): Value
}

const zeros = (builder: GraphBuilder, shape: readonly number[], dtype: 'int32' | 'float32' = 'float32') =>
  expand(
    builder.constant(
      0,
      shape.map(() => 1),
      dtype,
    ),
    shape,
  )

/** 0, 1, …, n − 1, computed: a literal of that length would travel with every copy of the graph. */
const countUp = (builder: GraphBuilder, n: number): Value =>
  cumsum(expand(builder.constant(1, [1], 'int32'), [n]), 0, { exclusive: true })

/** Up to this many experts per token are added one by one: executors do that faster than a sum along an axis. */
const ADDED = 8

/** Where each expert's rows begin, and where the last one's end. */
const boundsOf = (counts: Value): Value => concat([zeros(counts.builder, [1], 'int32'), cumsum(counts, 0)], 0)

/** How many entries of `owners` (R), each in 0..E, name each of E experts; int32. */
function countsOf(owners: Value, experts: number): Value {
  const { builder } = owners
  const ones = expand(builder.constant(1, [1], 'int32'), owners.shape)
  const all = scatterElementsAdd(zeros(builder, [experts + 1], 'int32'), owners, ones, 0)
  return slice(all, 0, 0, experts)
}

/**
 * Every token takes k experts: R = N k. Rows are found by a stable sort of the pairs, and go back by its inverse.
 * @param indices int32 (N, k), −1 for an expert that does not get the token
 * @param weights (N, k), 0 there
 */
export function dispatchFixed(indices: Value, weights: Value, experts: number): Rows {
  const { builder } = indices
  const [tokens, k] = indices.shape as [number, number]
  const rows = tokens * k
  const named = reshape(indices, [rows])
  const owners = where(greaterOrEqual(named, 0), named, experts)
  // TopK takes equal keys in rising order.
  const order = topk(sub(experts, owners), rows, 0).indices
  const counts = countsOf(owners, experts)
  return {
    tokens: k === 1 ? order : div(order, k),
    experts: gather(owners, order),
    offsets: boundsOf(counts),
    load: cast(counts, 'float32'),
    combine: (results) => {
      const width = results.shape[1] as number
      const weighed = mul(results, gather(reshape(weights, [rows, 1]), order))
      const place = scatterElementsAdd(zeros(builder, [rows], 'int32'), order, countUp(builder, rows), 0)
      if (k > ADDED) return sum(reshape(gather(weighed, place), [tokens, k, width]), 1)
      const places = reshape(place, [tokens, k])
      const slots = Array.from({ length: k }, (_, j) =>
        gather(weighed, reshape(slice(places, 1, j, j + 1), [tokens])),
      )
      return slots.reduce((total, slot) => add(total, slot))
    },
  }
}

/**
 * A token may take any number of experts. Read expert by expert, the mask is sorted already: its running sum is where each pair
 * goes. Pairs beyond R are lost, so the caller must see that `load` sums up to R at most.
 * @param mask (N, E): 0 and 1
 * @param weights (N, E)
 * @param rows R, >= 1
 */
export function dispatchMasked(mask: Value, weights: Value, rows: number): Rows {
  const { builder } = mask
  const [tokens, experts] = mask.shape as [number, number]
  const pairs = tokens * experts
  const byExpert = reshape(permute(mask), [pairs])
  const taken = cast(byExpert, 'int32')
  const place = cumsum(taken, 0, { exclusive: true })
  // What is not routed, or finds no room, goes into one row more, which is cut off.
  const target = where(greater(byExpert, 0), min(place, rows), rows)
  const found = scatterElementsAdd(
    zeros(builder, [rows + 1], 'int32'),
    target,
    mul(countUp(builder, pairs), taken),
    0,
  )
  const pair = slice(found, 0, 0, rows)
  const counts = sum(reshape(taken, [experts, tokens]), 1)
  const offsets = min(boundsOf(counts), rows)
  const used = cast(greater(slice(offsets, 0, experts), countUp(builder, rows)), 'float32')
  const owner = div(pair, tokens)
  const token = sub(pair, mul(owner, tokens))
  return {
    tokens: token,
    experts: where(greater(used, 0), owner, experts),
    offsets,
    load: cast(counts, 'float32'),
    combine: (results) => {
      const width = results.shape[1] as number
      const weight = mul(gather(reshape(permute(weights), [pairs]), pair), used)
      const weighed = mul(results, reshape(weight, [rows, 1]))
      return scatterAdd(zeros(builder, [tokens, width]), reshape(token, [rows, 1]), weighed)
    },
  }
}

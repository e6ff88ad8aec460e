/** Bounds of maxima and rankings: order statistics move no further than the elements they are taken from. */
import type { NdArray, PrimitiveAttrs } from '@fep-moe/core'
import { asFloats, type Bounded, bounded, type Evaluation, evaluate, type Info } from './bounded.js'
import { distance, isSettled, slackOf } from './decide.js'
import type { Rule } from './rule.js'

const shifted = (x: Bounded, sign: 1 | -1): NdArray =>
  asFloats(
    x,
    Float64Array.from(x.data, (v, i) => v + sign * (x.error[i] as number)),
  )

/** The statistic of the upper ends and of the lower ends encloses that of anything in between. */
function enclosed(
  op: 'ReduceMax' | 'TopK',
  x: Bounded,
  attrs: never,
  infos: readonly Info[],
  value: NdArray,
): Float64Array {
  if (x.dtype !== 'float32')
    return new Float64Array(value.data.length).fill(
      x.error.every((e) => e === 0) ? 0 : Number.POSITIVE_INFINITY,
    )
  const [high, low] = ([1, -1] as const).map(
    (sign) => (evaluate(op, [shifted(x, sign)], attrs, infos)[0] as NdArray).data,
  ) as [Float64Array, Float64Array]
  return Float64Array.from(value.data, (v, i) => {
    const e = Math.max((high[i] as number) - v, v - (low[i] as number))
    return Number.isNaN(e) ? Number.POSITIVE_INFINITY : e
  })
}

/** Moves the origin of the largest element along where it is the largest for every executor. */
const reduceMax: Rule = (evaluation, [operand], given, infos) => {
  const x = operand as Bounded
  const attrs = given as unknown as PrimitiveAttrs['ReduceMax']
  const [value] = evaluate('ReduceMax', [x], attrs, infos) as [NdArray]
  const result = bounded(
    evaluation,
    'ReduceMax',
    value,
    enclosed('ReduceMax', x, attrs as never, infos, value),
  )
  const place = placeOf(x.shape, attrs.axes)
  const winner = new Int32Array(value.data.length).fill(-1)
  for (let i = 0; i < x.data.length; i++) {
    const to = place(i)
    if (winner[to] === -1 && x.data[i] === value.data[to]) winner[to] = i
  }
  const contested = new Uint8Array(winner.length)
  for (let i = 0; i < x.data.length; i++) {
    const best = winner[place(i)] as number
    if (best >= 0 && best !== i && !isSettled(x, i, x, best)) contested[place(i)] = 1
  }
  winner.forEach((best, to) => {
    if (best >= 0 && contested[to] === 0) result.origin[to] = x.origin[best] as number
  })
  return [result]
}

/** Flat position of an element in a reduced array. */
function placeOf(shape: readonly number[], axes: readonly number[]): (i: number) => number {
  const strides = shape.map(() => 0)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (axes.includes(axis)) continue
    strides[axis] = step
    step *= shape[axis] as number
  }
  return (i) => {
    let [rest, at] = [i, 0]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const dim = shape[axis] as number
      at += (rest % dim) * (strides[axis] as number)
      rest = Math.floor(rest / dim)
    }
    return at
  }
}

/** A rank is settled where its element stands clear of every other one. */
const topK: Rule = (evaluation, [operand], given, infos) => {
  const x = operand as Bounded
  const { axis } = given as unknown as PrimitiveAttrs['TopK']
  const [values, indices] = evaluate('TopK', [x], given as never, infos) as [NdArray, NdArray]
  const best = bounded(evaluation, 'TopK', values, enclosed('TopK', x, given as never, infos, values))
  const inner = x.shape.slice(axis + 1).reduce((n, d) => n * d, 1)
  const [length, k] = [x.shape[axis] as number, values.shape[axis] as number]
  const error = Float64Array.from(indices.data, (index, i) => {
    const lane = Math.floor(i / (k * inner)) * length * inner + (i % inner)
    const at = lane + index * inner
    let settled = true
    for (let step = 0; step < length; step++) {
      const other = lane + step * inner
      if (other !== at && !isSettled(x, at, x, other)) {
        settled = false
        noteClose(evaluation, x, at, other)
      }
    }
    if (settled) best.origin[i] = x.origin[at] as number
    return settled ? 0 : Number.POSITIVE_INFINITY
  })
  return [best, bounded(evaluation, 'TopK', indices, error)]
}

function noteClose(evaluation: Evaluation, x: Bounded, i: number, j: number): void {
  const slack = slackOf(x, i, x, j)
  if (slack < Number.POSITIVE_INFINITY) evaluation.note('TopK', distance(x, i, x, j), slack)
}

export const ranking: Readonly<Record<'ReduceMax' | 'TopK', Rule>> = { ReduceMax: reduceMax, TopK: topK }

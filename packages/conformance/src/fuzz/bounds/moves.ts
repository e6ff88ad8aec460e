/** Operators that move or make elements: bounds move along. */
import { type NdArray, type PrimitiveAttrs, type PrimitiveName, primitives } from '@fep-moe/core'
import { type Bounded, type Evaluation, evaluate, exactly, type Info, move } from './bounded.js'
import type { Rule } from './rule.js'

const moved =
  (op: PrimitiveName): Rule =>
  (_evaluation, inputs, attrs, infos) => [move(op, inputs, attrs as never, infos[0] as Info)]

/** Indices are compared, never moved: only `x` carries bounds, and what an unknown index picks is unknown. */
const gathered =
  (
    op: 'Gather' | 'GatherElements',
    unknown: (x: Bounded, indices: Bounded, axis: number) => number[],
  ): Rule =>
  (_evaluation, inputs, attrs, infos) => {
    const [x, indices] = inputs as [Bounded, Bounded]
    const [info] = infos as [Info]
    const pick = (data: Bounded['data'], dtype: Info['dtype']) =>
      (
        evaluate(op, [{ dtype, shape: x.shape, data }, indices], attrs as never, [
          { dtype, shape: info.shape },
        ])[0] as NdArray
      ).data
    const error = pick(x.error, 'float32') as Float64Array
    for (const at of unknown(x, indices, (attrs as { axis: number }).axis))
      error[at] = Number.POSITIVE_INFINITY
    const data = pick(x.data, info.dtype)
    return [{ ...info, data, error, origin: pick(x.origin, 'int32') as Int32Array }]
  }

const indicesOf = (error: Float64Array): number[] => Array.from(error.keys()).filter((i) => error[i] !== 0)

/** Every element of every row that an unknown index picks. */
function unknownRows(x: Bounded, indices: Bounded, axis: number): number[] {
  const count = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)
  const [outer, inner, picks] = [
    count(x.shape.slice(0, axis)),
    count(x.shape.slice(axis + 1)),
    indices.data.length,
  ]
  const at: number[] = []
  for (const p of indicesOf(indices.error))
    for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) at.push((o * picks + p) * inner + i)
  return at
}

const pad: Rule = (evaluation, inputs, given, infos) => {
  const attrs = given as unknown as PrimitiveAttrs['Pad']
  const [fill] = evaluation.fresh(1) as unknown as [number]
  const others = { forErrors: { ...attrs, value: 0 }, forOrigins: { ...attrs, value: fill } }
  return [move('Pad', inputs, { ...attrs, value: Math.fround(attrs.value) }, infos[0] as Info, others)]
}

/** A literal is a double, rounded by the executor. */
const constant: Rule = (evaluation, _inputs, attrs, infos) => {
  const [value] = evaluate('Constant', [], attrs as never, infos) as [NdArray]
  const made = exactly(evaluation, value as Bounded)
  if (value.dtype === 'float32')
    for (let i = 0; i < made.error.length; i++) {
      const v = value.data[i] as number
      made.error[i] = Math.abs(Math.fround(v) - v)
    }
  return [made]
}

const size: Rule = (evaluation: Evaluation, inputs, attrs, infos) => {
  const [value] = primitives.Size.eval(inputs, attrs as never, infos, {
    make: (dtype, shape) => ({ dtype, shape, data: new Int32Array(1) }),
    call: () => [],
  }) as [Bounded]
  return [exactly(evaluation, value)]
}

export const moves: Readonly<
  Record<
    | 'Constant'
    | 'Size'
    | 'StopGradient'
    | 'Reshape'
    | 'Transpose'
    | 'Expand'
    | 'Slice'
    | 'Concat'
    | 'Pad'
    | 'Gather'
    | 'GatherElements',
    Rule
  >
> = {
  Constant: constant,
  Size: size,
  StopGradient: (_evaluation, [x]) => [x as Bounded],
  Reshape: (_evaluation, [x], _attrs, [info]) => [{ ...(x as Bounded), shape: (info as Info).shape }],
  Transpose: moved('Transpose'),
  Expand: moved('Expand'),
  Slice: moved('Slice'),
  Concat: moved('Concat'),
  Pad: pad,
  Gather: gathered('Gather', unknownRows),
  GatherElements: gathered('GatherElements', (_x, indices) => indicesOf(indices.error)),
}

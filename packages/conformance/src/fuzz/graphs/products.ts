/** Emitters of products and of layers made of them. */
import { type Dim, ops, type Shape } from '@fep-moe/core'
import { type Assembly, isSmall, type Known, meets, type Picks } from './assembly.js'
import { type Emitter, isKnown } from './emitter.js'

/** Longest inner dimension of a product. */
const INNER = 60

const rank2 = (a: Assembly, picks: Picks): Known => a.any(picks, 'float32', 2)

/** The inner dimension of a product, at the largest batch. */
const inner = (dim: Dim | undefined): number => (typeof dim === 'number' ? dim : INNER)

/** A matrix with a known number of columns. */
const rows = (a: Assembly, picks: Picks, count?: Dim): Known =>
  a.operand(
    picks,
    'float32',
    (shape) => shape.length === 2 && isKnown(shape[1] as Dim) && (count === undefined || shape[0] === count),
    () => [count ?? picks.from<Dim>(['batch', ...a.dims]), picks.from(a.dims)],
  )

export const products = {
  MatMul: (a, picks) => {
    const x = rank2(a, picks)
    const { shape } = x.value
    const k = shape.at(-1) as Dim
    const y = a.operand(
      picks,
      'float32',
      (other) =>
        other.length >= 2 &&
        other.at(-2) === k &&
        meets(shape.slice(0, -2), other.slice(0, -2)) &&
        isSmall([...shape.slice(0, -1), ...other]),
      () => [...(picks.once(3) ? shape.slice(0, -2) : []), k, picks.from(a.dims)],
    )
    const value = ops.matmul(x.value, y.value)
    if (isSmall(value.shape)) a.keep(value, inner(k) * x.most * y.most)
  },
  Linear: (a, picks) => {
    const x = a.operand(
      picks,
      'float32',
      (shape) => shape.length >= 1 && isKnown(shape.at(-1) as Dim),
      () => [...a.shape(picks).slice(0, 2), picks.from(a.dims)],
    )
    const [width, out] = [x.value.shape.at(-1) as number, picks.from(a.dims)]
    const weight = a.shaped(picks, 'float32', [out, width])
    const bias = picks.once(2) ? a.shaped(picks, 'float32', [out]) : undefined
    const value = ops.linear(x.value, weight.value, bias?.value)
    if (isSmall(value.shape)) a.keep(value, width * x.most * weight.most + (bias?.most ?? 0))
  },
  GroupedMatMul: (a, picks) => {
    const groups = picks.below(4)
    const x = rows(a, picks)
    const [count, width] = x.value.shape as [Dim, number]
    const { value: offsets } = a.declare('int32', [groups + 1], { kind: 'offsets', limit: count })
    if (picks.once(2)) {
      const y = rows(a, picks, count)
      const value = ops.groupedMatMulWeight(x.value, y.value, offsets)
      if (isSmall(value.shape)) a.keep(value, INNER * x.most * y.most)
      return
    }
    const w = a.shaped(picks, 'float32', [groups, width, picks.from(a.dims)])
    const value = ops.groupedMatMul(x.value, w.value, offsets)
    if (isSmall(value.shape)) a.keep(value, width * x.most * w.most)
  },
  GruCell: (a, picks) => {
    const x = rows(a, picks)
    const [count, width] = x.value.shape as [Dim, number]
    const hidden = 1 + picks.below(3)
    const h = a.shaped(picks, 'float32', [count, hidden])
    const weight = (shape: Shape) => a.shaped(picks, 'float32', shape)
    const [wi, wh, bi, bh] = [[3 * hidden, width], [3 * hidden, hidden], [3 * hidden], [3 * hidden]].map(
      weight,
    ) as [Known, Known, Known, Known]
    a.keep(ops.gruCell(x.value, h.value, wi.value, wh.value, bi.value, bh.value), h.most + 1)
  },
} satisfies Readonly<Record<string, Emitter>>

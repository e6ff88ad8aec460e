/** Emitters of operators that index. */
import { type Dim, ops, type Shape } from '@fep-moe/core'
import type { Assembly, Known, Picks } from './assembly.js'
import { alongAxis, type Emitter, isFilled, withDim, withoutDim } from './emitter.js'

const dtypes = ['float32', 'float32', 'float32', 'int32'] as const

/** Indices that are fed, or computed ones that are cut off at the ends of the dimension. */
function indices(a: Assembly, picks: Picks, shape: Shape, limit: number): Known['value'] {
  const computed = a.pool.filter(
    ({ value }) => value.dtype === 'int32' && value.shape.join() === shape.join(),
  )
  if (computed.length === 0 || picks.once(2))
    return a.declare('int32', shape, { kind: 'indices', limit }).value
  const { value } = picks.from(computed)
  return ops.max(ops.min(value, limit - 1), picks.once(2) ? 0 : -limit)
}

const small = (a: Assembly, picks: Picks): Dim => picks.from([1, 2, 3, a.dims[0] as number])

export const indexing = {
  Gather: (a, picks) => {
    const x = alongAxis(a, picks, picks.from([...dtypes, 'bool' as const]), isFilled)
    const own = picks.from<Shape>([[small(a, picks)], [], [2, small(a, picks)]])
    const at = indices(
      a,
      picks,
      x.value.shape.includes('batch') || picks.once(2) ? own : ['batch'],
      x.value.shape[x.axis] as number,
    )
    a.keep(ops.gather(x.value, at, x.axis), x.most)
  },
  GatherElements: (a, picks) => {
    const x = alongAxis(a, picks, picks.from(dtypes), isFilled)
    const shape = withDim(x.value.shape, x.axis, small(a, picks))
    const at = indices(a, picks, shape, x.value.shape[x.axis] as number)
    a.keep(ops.gatherElements(x.value, at, x.axis), x.most)
  },
  ScatterND: (a, picks) => {
    const dtype = picks.from(dtypes)
    const x = a.operand(
      picks,
      dtype,
      (shape) => shape.length > 0 && isFilled(shape[0] as Dim),
      () => [2, ...a.shape(picks).slice(0, 2)],
    )
    const { shape } = x.value
    const count = small(a, picks)
    const at = indices(a, picks, [count, 1], shape[0] as number)
    const updates = a.shaped(picks, dtype, [count, ...shape.slice(1)])
    a.keep(ops.scatterAdd(x.value, at, updates.value), x.most + 4 * updates.most)
  },
  ScatterElements: (a, picks) => {
    const dtype = picks.from(dtypes)
    const x = alongAxis(a, picks, dtype, isFilled)
    const shape = withDim(x.value.shape, x.axis, small(a, picks))
    const at = indices(a, picks, shape, x.value.shape[x.axis] as number)
    const updates = a.shaped(picks, dtype, shape)
    a.keep(ops.scatterElementsAdd(x.value, at, updates.value, x.axis), x.most + 18 * updates.most)
  },
  TopK: (a, picks) => {
    const x = alongAxis(a, picks, picks.from(dtypes), isFilled)
    const k = 1 + picks.below(x.value.shape[x.axis] as number)
    const { values, indices: at } = ops.topk(x.value, k, x.axis)
    a.keep(values, x.most)
    a.keep(at, 18)
  },
  ArgMax: (a, picks) => {
    const x = alongAxis(a, picks, 'float32', isFilled)
    a.keep(ops.argmax(x.value, x.axis, picks.once(2)), 18)
  },
  OneHot: (a, picks) => {
    const x = a.operand(
      picks,
      'int32',
      (shape) => shape.length < 4,
      () => a.shape(picks).slice(0, 2),
    )
    a.keep(ops.oneHot(x.value, 1 + picks.below(4)), 1)
  },
  CrossEntropy: (a, picks) => {
    const x = alongAxis(a, picks, 'float32', isFilled)
    const targets = a.declare('int32', withoutDim(x.value.shape, x.axis), {
      kind: 'classes',
      limit: x.value.shape[x.axis] as number,
    })
    a.keep(ops.crossEntropyRows(x.value, targets.value, x.axis), 2 * x.most + 6)
  },
} satisfies Readonly<Record<string, Emitter>>

import { countOf, transpose } from '@fep-moe/core'
import {
  broadcastView,
  flipView,
  isContiguous,
  permuteView,
  reshapeView,
  sliceView,
  type View,
  wholeView,
} from '@fep-moe/core/lowering'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** Offsets in row-major order: what a view is. */
function offsetsOf({ shape, strides, offset }: View): number[] {
  let all = [offset]
  shape.forEach((dim, axis) => {
    all = all.flatMap((at) => Array.from({ length: dim }, (_, i) => at + i * (strides[axis] as number)))
  })
  return all
}

const whole = (shape: readonly number[]): View =>
  wholeView({ name: 'b0', kind: 'memory', dtype: 'float32', length: countOf(shape) }, shape)

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
/** A shape and one with as many elements. */
const reshapes = shapes.chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc
      .shuffledSubarray(
        shape.flatMap((d) => (d === 4 ? [2, 2] : [d])),
        { minLength: 0 },
      )
      .map((some) => {
        const rest = countOf(shape) / countOf(some)
        return [...some, rest]
      }),
  ),
)

describe('views', () => {
  it('permute as a transpose does', () => {
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
        ),
        ([shape, perm]) => {
          const data = Int32Array.from({ length: countOf(shape) }, (_, i) => i)
          const want = transpose({ dtype: 'int32', shape, data }, perm)
          expect(offsetsOf(permuteView(whole(shape), perm))).toEqual([...want.data])
        },
      ),
    )
  })

  it('keep their order where they can be reshaped, and can be where they are contiguous', () => {
    fc.assert(
      fc.property(reshapes, fc.boolean(), fc.boolean(), ([shape, to], reversed, repeated) => {
        const base = whole(shape)
        const moved = reversed ? permuteView(base, [...shape.keys()].reverse()) : base
        const view = repeated ? broadcastView(moved, [2, ...moved.shape]) : moved
        const target = repeated ? [2, ...to] : to
        const got = reshapeView(view, target)
        if (got) expect(offsetsOf(got)).toEqual(offsetsOf(view))
        else expect(isContiguous(view)).toBe(false)
      }),
    )
  })

  it('slice and flip', () => {
    const view = sliceView(whole([2, 5]), 1, 1, 3)
    expect(offsetsOf(view)).toEqual([1, 2, 3, 6, 7, 8])
    expect(offsetsOf(flipView(view, 1))).toEqual([3, 2, 1, 8, 7, 6])
    expect(isContiguous(view)).toBe(false)
  })

  it('without elements can take any shape without elements', () => {
    expect(reshapeView(permuteView(whole([2, 0, 3]), [2, 0, 1]), [0, 5])?.shape).toEqual([0, 5])
  })
})

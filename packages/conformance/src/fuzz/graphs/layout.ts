/** Emitters of operators that move or make elements. */
import { type Dim, mergeDims, ops, type Shape } from '@fep-moe/core'
import type { Assembly, Known, Picks } from './assembly.js'
import { isSmall } from './assembly.js'
import { alongAxis, type Emitter, isKnown, someAxes, withDim } from './emitter.js'

const dtypes = ['float32', 'float32', 'float32', 'int32', 'bool'] as const

const anything = (a: Assembly, picks: Picks, least = 0): Known => a.any(picks, picks.from(dtypes), least)

/** Another shape of as many elements. */
function reshaped(picks: Picks, shape: Shape): Shape {
  const merge = (from: number, to: number): Shape => {
    const part = shape.slice(from, to)
    const power = part.filter((d) => typeof d === 'string').length
    return power > 1 ? shape : [...shape.slice(0, from), mergeDims(part), ...shape.slice(to)]
  }
  const at = picks.below(shape.length + 1)
  const options: Shape[] = [[...shape.slice(0, at), 1, ...shape.slice(at)], merge(0, shape.length)]
  if (shape.length >= 2) options.push(merge(0, 2), merge(shape.length - 2, shape.length))
  options.push([...shape].reverse())
  options.push(shape.filter((d) => d !== 1))
  const split = shape.findIndex((d) => typeof d === 'number' && d > 2 && d % 2 === 0)
  if (split >= 0)
    options.push([...shape.slice(0, split), 2, (shape[split] as number) / 2, ...shape.slice(split + 1)])
  return picks.from(options.filter((s) => s.length <= 5))
}

export const layout = {
  Constant: (a, picks) => {
    const dtype = picks.from(dtypes)
    const shape = a
      .shape(picks)
      .filter((d): d is number => typeof d === 'number')
      .slice(0, 2)
    const length = shape.reduce((n, d) => n * d, 1)
    const scale = dtype === 'float32' ? 0.3 : 1
    const data = Array.from({ length }, () =>
      dtype === 'bool' ? picks.below(2) : scale * (picks.below(9) - 4),
    )
    a.keep(a.builder.constant(data, shape, dtype), 4)
  },
  Reshape: (a, picks) => {
    const x = anything(a, picks)
    a.keep(ops.reshape(x.value, reshaped(picks, x.value.shape)), x.most)
  },
  Transpose: (a, picks) => {
    const x = anything(a, picks, 2)
    const left = x.value.shape.map((_, i) => i)
    const perm: number[] = []
    while (left.length > 0) perm.push(...left.splice(picks.below(left.length), 1))
    a.keep(ops.permute(x.value, perm), x.most)
  },
  Expand: (a, picks) => {
    const x = anything(a, picks)
    const inner = x.value.shape.map((d): Dim => (d === 1 ? picks.from([1, ...a.dims]) : d))
    const outer: Dim[] = picks.once(3)
      ? [a.knowsBatch && !inner.some((d) => typeof d === 'string') ? 'batch' : 2]
      : picks.once(2)
        ? [2]
        : []
    const shape = [...outer, ...inner]
    a.keep(shape.length <= 5 && isSmall(shape) ? ops.expand(x.value, shape) : x.value, x.most)
  },
  Slice: (a, picks) => {
    const x = alongAxis(a, picks, picks.from(dtypes), isKnown)
    const axes = [...new Set([x.axis, ...someAxes(picks, x.value.shape, isKnown)])].sort((p, q) => p - q)
    const starts = axes.map((axis) => picks.below((x.value.shape[axis] as number) + 1))
    const ends = axes.map((axis, i) => {
      const [dim, start] = [x.value.shape[axis] as number, starts[i] as number]
      return Math.min(dim, start + Math.max(picks.below(dim + 1), picks.once(8) ? 0 : 1))
    })
    const [value] = a.builder.emit('Slice', [x.value], { axes, starts, ends })
    a.keep(value as Known['value'], x.most)
  },
  Concat: (a, picks) => {
    const x = alongAxis(a, picks, picks.from(dtypes), isKnown)
    const { shape, dtype } = x.value
    const others = Array.from({ length: 1 + picks.below(2) }, () =>
      a.operand(
        picks,
        dtype,
        (other) =>
          other.length === shape.length &&
          other.every((d, i) => (i === x.axis ? isKnown(d) : d === shape[i])) &&
          isSmall([...other, 3]),
        () => withDim(shape, x.axis, picks.below(3)),
      ),
    )
    const parts = [x, ...others]
    const value = ops.concat(
      (picks.once(2) ? parts.reverse() : parts).map((p) => p.value),
      x.axis,
    )
    if (isSmall(value.shape)) a.keep(value, Math.max(...parts.map((p) => p.most)))
  },
  Pad: (a, picks) => {
    const x = alongAxis(a, picks, picks.from(dtypes), isKnown)
    const { shape, dtype } = x.value
    const amount = (axis: number) => (axis === x.axis || picks.once(3) ? picks.below(3) : 0)
    const pads = [...shape, ...shape].map((d, i) => (isKnown(d) ? amount(i % shape.length) : 0))
    const grown = shape.map((d, i) =>
      isKnown(d) ? d + (pads[i] as number) + (pads[i + shape.length] as number) : d,
    )
    if (!isSmall(grown)) return
    const value = dtype === 'bool' ? picks.below(2) : picks.below(3) - 1
    const [padded] = a.builder.emit('Pad', [x.value], { pads, value })
    a.keep(padded as Known['value'], Math.max(x.most, 1))
  },
} satisfies Readonly<Record<string, Emitter>>

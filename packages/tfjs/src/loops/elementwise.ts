/** Elementwise operators as loops, one loop per operator so that each is compiled for itself. */
import type { TensorData } from '@fep-moe/core'
import { fastErf, fastExp, fastSigmoid, fastTanh } from './exponential.js'
import { type Nest, walkRows } from './nest.js'

type Map1 = (x: TensorData, out: TensorData) => void

/** Operators of one operand. Results are rounded once, when they are stored. */
export const unaryLoops = {
  Neg: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = -(x[i] as number)
  },
  Exp: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fastExp(x[i] as number)
  },
  Log: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.log(x[i] as number)
  },
  Sqrt: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i] as number)
  },
  Tanh: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fastTanh(x[i] as number)
  },
  Sigmoid: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fastSigmoid(x[i] as number)
  },
  Erf: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = fastErf(x[i] as number)
  },
  Sin: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.sin(x[i] as number)
  },
  Cos: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.cos(x[i] as number)
  },
  Not: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i] === 0)
  },
} satisfies Record<string, Map1>

/** A row of a binary operator: offsets, strides, count; the result is contiguous. */
type Map2 = (
  a: TensorData,
  i: number,
  di: number,
  b: TensorData,
  j: number,
  dj: number,
  out: TensorData,
  k: number,
  end: number,
) => void

/** Operators of two operands. Integers wrap and divide towards zero when they are stored, as on the reference. */
export const binaryLoops = {
  Add: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = (a[i] as number) + (b[j] as number)
  },
  Sub: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = (a[i] as number) - (b[j] as number)
  },
  Mul: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = (a[i] as number) * (b[j] as number)
  },
  /** The low half of the product of two integers: a double does not hold all of it. */
  MulInts: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Math.imul(a[i] as number, b[j] as number)
  },
  Div: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = (a[i] as number) / (b[j] as number)
  },
  Max: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Math.max(a[i] as number, b[j] as number)
  },
  Min: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Math.min(a[i] as number, b[j] as number)
  },
  Greater: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Number((a[i] as number) > (b[j] as number))
  },
  GreaterOrEqual: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Number((a[i] as number) >= (b[j] as number))
  },
  Equal: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = Number(a[i] === b[j])
  },
  And: (a, i, di, b, j, dj, out, k, end) => {
    for (; k < end; k++, i += di, j += dj) out[k] = (a[i] as number) & (b[j] as number)
  },
} satisfies Record<string, Map2>

/** Runs a binary operator over its nest. */
export function runBinary(row: Map2, nest: Nest, a: TensorData, b: TensorData, out: TensorData): void {
  walkRows(nest, [0, 0, 0], (at, steps, count) => {
    const k = at[2] as number
    row(a, at[0] as number, steps[0] as number, b, at[1] as number, steps[1] as number, out, k, k + count)
  })
}

/** out = c ? a : b */
export function runWhere(nest: Nest, c: TensorData, a: TensorData, b: TensorData, out: TensorData): void {
  walkRows(nest, [0, 0, 0, 0], (at, steps, count) => {
    let [h, i, j, k] = at as [number, number, number, number]
    const [dh, di, dj] = steps as [number, number, number]
    const end = k + count
    for (; k < end; k++, h += dh, i += di, j += dj) out[k] = (c[h] === 0 ? b[j] : a[i]) as number
  })
}

/** Conversion by storing: integers drop the fraction and wrap, NaN becomes 0. */
export function runCast(x: TensorData, out: TensorData, toBool: boolean): void {
  if (!toBool) out.set(x as Float32Array)
  else for (let i = 0; i < out.length; i++) out[i] = Number(x[i] !== 0)
}

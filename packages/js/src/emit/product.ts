/**
 * The kernel of every matrix product: blocks of rows and columns with one accumulator per element of the block, each a
 * double that is summed in the order of the inner axis. Operands are read through their strides, so a transposed matrix
 * needs no copy.
 */
import { sliceView, type View } from '@fep-moe/core/lowering'
import type { KernelWriter, Wish } from './kernel-writer.js'

/** Rows and columns of a block, as measured: 4 x 4 beats 2 x 4 though it outgrows the 16 registers of x64. */
function blockOf(m: number, n: number): readonly [number, number] {
  if (n === 1) return [8, 1]
  return m === 1 ? [1, 8] : [4, 4]
}

/** Part of the inner axis: numbers, or variables of the generated code. */
export interface Range {
  readonly from: number | string
  readonly to: number | string
}

/**
 * out = a b, summed over a range of the inner axis.
 * @param a (m, k)
 * @param b (k, n)
 * @param out (m, n)
 */
export function emitProduct(k: KernelWriter, a: View, b: View, out: View, inner: Range): void {
  const [m, n] = out.shape as [number, number]
  const [rows, columns] = blockOf(m, n)
  // An element that several accumulators use is read once.
  const read = (wish: Wish, element: string, uses: number) => (uses > 1 ? k.hold(wish, element) : element)
  // Columns outside, rows inside: a panel of b stays in the cache while the rows of a pass by.
  forBlocks(k, 'j', n, columns, (j, width) =>
    forBlocks(k, 'i', m, rows, (i, height) => {
      const block = Array.from({ length: height * width }, (_, s) => ({
        total: k.fresh('s'),
        row: Math.floor(s / width),
        column: s % width,
      }))
      k.line(`let ${block.map(({ total }) => `${total} = 0`).join(', ')}`)
      const p = k.loop('p', inner.to, 1, inner.from)
      const left = range(height, (r) => read('x', k.element(sliceView(a, 0, r, 1), [i, p]), width))
      const right = range(width, (c) => read('y', k.element(sliceView(b, 1, c, 1), [p, j]), height))
      for (const { total, row, column } of block) k.line(`${total} += ${left[row]} * ${right[column]}`)
      k.close()
      for (const { total, row, column } of block)
        k.line(`${k.element(sliceView(sliceView(out, 0, row, 1), 1, column, 1), [i, j])} = ${total}`)
    }),
  )
}

const range = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i))

/** Whole blocks in a loop, then the rest; `body` gets where a block begins and how long it is. */
function forBlocks(
  k: KernelWriter,
  wish: Wish,
  length: number,
  size: number,
  body: (index: string, size: number) => void,
): void {
  const whole = length - (length % size)
  if (whole > size) {
    body(k.loop(wish, whole, size), size)
    k.close()
  } else if (whole > 0) body('0', size)
  if (whole < length) body(String(whole), length - whole)
}

/**
 * How matrices lie for the kernel that multiplies them by vectors: panels of 16 rows, and one of 8 where no more than 8
 * are left; in a panel column after column; doubles, so that the kernel need not convert them. What the last panel has
 * beyond the matrix is 0.
 */
import { isContiguous, type View } from '@fep-moe/core/lowering'

/** Rows of the panel that begins where `left` rows are left. */
export const panelRows = (left: number): 8 | 16 => (left <= 8 ? 8 : 16)

/** Elements of an (m, k) matrix in panels. */
export const panelsLength = (m: number, k: number): number => Math.ceil(m / 8) * 8 * k

/** Writes a matrix in panels. @param matrix (m, k), any strides, over `data` */
export function packPanels(matrix: View, data: ArrayLike<number>, to: Float64Array): void {
  const { offset } = matrix
  const [m, k] = matrix.shape as [number, number]
  const [down, right] = matrix.strides as [number, number]
  let at = 0
  for (let row = 0; row < m; ) {
    const rows = panelRows(m - row)
    for (let column = 0; column < k; column++) {
      for (let r = row; r < row + rows; r++)
        to[at++] = r < m ? (data[offset + r * down + column * right] as number) : 0
    }
    row += rows
  }
}

/** True where the kernel can read a vector as it is: floats of the program's own memory, one after the other. */
export const isPlainVector = (vector: View): boolean =>
  vector.buffer.kind === 'memory' && vector.buffer.dtype === 'float32' && isContiguous(vector)

/** Series of a run: short enough for a file, and averaged where a figure has no room for every step. */

/** Six digits: what figures show, at a third of the file. */
export const shorten = (list: readonly number[]): number[] => list.map((x) => Number(x.toPrecision(6)))

/** Points that a line over a training has. */
const POINTS = 50

/** Steps that one point of a training of so many steps stands for. */
export const blockOf = (steps: number): number => Math.ceil(steps / POINTS)

/** Means of consecutive blocks; the last one may be shorter. */
export function blockMeans(values: readonly number[]): number[] {
  const size = blockOf(values.length)
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => {
    const block = values.slice(i * size, (i + 1) * size)
    return block.reduce((sum, x) => sum + x, 0) / block.length
  })
}

/** The middle step of each block. */
export const blockSteps = (steps: number): number[] =>
  Array.from({ length: Math.ceil(steps / blockOf(steps)) }, (_, i) => {
    const start = i * blockOf(steps)
    return (start + Math.min(start + blockOf(steps), steps) - 1) / 2
  })

/** Mean of the last values, of all where there are fewer. */
export function meanOfLast(values: readonly number[], count: number): number {
  const last = values.slice(-count)
  return last.reduce((sum, x) => sum + x, 0) / last.length
}

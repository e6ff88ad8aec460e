/** Decisions under rounding: which of two elements is larger, and whether anybody can tell. */
import type { Bounded } from './bounded.js'

/** Whether every executor orders element i of x and element j of y as the doubles do. */
export function isSettled(x: Bounded, i: number, y: Bounded, j: number): boolean {
  const slack = (x.error[i] as number) + (y.error[j] as number)
  if (slack === 0 || (x.origin[i] === y.origin[j] && slack < Number.POSITIVE_INFINITY)) return true
  return distance(x, i, y, j) > slack
}

/** How far apart they are. */
export const distance = (x: Bounded, i: number, y: Bounded, j: number): number =>
  Math.abs((x.data[i] as number) - (y.data[j] as number))

/** What that distance may be off by. */
export const slackOf = (x: Bounded, i: number, y: Bounded, j: number): number =>
  (x.error[i] as number) + (y.error[j] as number)

/** How the dispatches of a program are handed to the device. */
import type { Dispatch } from '../ir/dispatch-program.js'

/**
 * Scalar operations in one submission, and in one dispatch where the compiler can split it. Systems reset a graphics card
 * that does not answer for a while (2 s on Windows, 10 s in Chromium), and a browser's other pages wait for it as long.
 * A small graphics card does 10⁹ operations a second in kernels that leave most of it idle; SwiftShader does 10⁸ on one
 * core, and a compute pass of it cannot be interrupted either.
 */
export const budget = (software: boolean): number => (software ? 2 ** 26 : 2 ** 30)

/** Cuts dispatches into runs that stay within a budget, one dispatch at least; in order. */
export function submissions<D extends Pick<Dispatch, 'cost'>>(
  dispatches: readonly D[],
  most: number,
): readonly (readonly D[])[] {
  const groups: D[][] = []
  let room = -1
  for (const dispatch of dispatches) {
    if (dispatch.cost > room || groups.length === 0) {
      groups.push([])
      room = most
    }
    groups.at(-1)?.push(dispatch)
    room -= dispatch.cost
  }
  return groups
}

/**
 * How series are told apart: a color, a symbol and, for bounds, a dash. Colors are those of Okabe and Ito, which people
 * with any of the common color-vision deficiencies can tell apart, darkened for white paper and lightened for a dark page.
 */

/** Colors by slot, for a light and a dark page. */
const COLORS = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ff8c42'],
  ['#777777', '#a8a8a8'],
  ['#00795a', '#2fd1a2'],
  ['#a8457f', '#e89ac7'],
  ['#6b5300', '#d9c36a'],
  ['#333333', '#e6e6e6'],
  ['#5b3fa8', '#b9a5ff'],
] as const

const SYMBOLS = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross', 'times', 'hexagon'] as const

const place = (slot: number): number => slot % COLORS.length

/** The color of a slot, as CSS: a variable of the page, or its light value where there is no page. */
export const colorOf = (slot: number): string => `var(--series-${place(slot)}, ${COLORS[place(slot)]?.[0]})`

/** The symbol of a slot, as Plot calls it. */
export const symbolOf = (slot: number) => SYMBOLS[place(slot)] as (typeof SYMBOLS)[number]

/** Declarations of the variables for a scheme. */
export const colorVariables = (scheme: 'light' | 'dark'): string =>
  COLORS.map((pair, i) => `--series-${i}:${pair[scheme === 'light' ? 0 : 1]}`).join(';')

/** Dashes of bounds, so that two of them differ without color. */
export const dashOf = (slot: number): string => (slot % 2 === 0 ? '2 3' : '7 4')

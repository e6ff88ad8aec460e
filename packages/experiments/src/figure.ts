/** Figures as data: an experiment says what to draw, whoever writes a report draws it. */
import type { Run } from './results.js'
import { estimate } from './statistics.js'

/** One axis; the label ends with the unit where there is one. */
export interface Axis {
  readonly label: string
  readonly domain?: readonly [number, number]
  readonly ticks?: readonly number[]
}

/** A point, with the spread around it where it is a mean over seeds. */
export interface Point {
  readonly x: number
  readonly y: number
  /** y − s and y + s, one sample standard deviation over seeds. */
  readonly low?: number
  readonly high?: number
}

/** A series of points under one name. */
export interface Series {
  readonly name: string
  readonly points: readonly Point[]
  /** `bound` is dashed, without dots: computed, not measured. Default `line`. */
  readonly style?: 'line' | 'bound' | 'dots'
  /** Color and symbol, 0..7, where a series must look the same in several figures. Default: its place in the figure. */
  readonly slot?: number
}

/** A position worth a word: a dotted line across the panel. */
export interface Mark {
  readonly axis: 'x' | 'y'
  readonly at: number
  readonly label: string
}

/** One pair of axes. */
export interface Panel {
  /** Empty where the figure has one panel only. */
  readonly title: string
  readonly series: readonly Series[]
  readonly marks?: readonly Mark[]
}

/** The series of a figure by name, each once, with the color slot that its name has in all panels. */
export function legendOf({ panels }: Figure): (Pick<Series, 'name' | 'style'> & { readonly slot: number })[] {
  const all = new Map(panels.flatMap(({ series }) => series).map((s) => [s.name, s]))
  return [...all.values()].map(({ name, style = 'line', slot }, i) => ({ name, style, slot: slot ?? i }))
}

/** One figure of a report: panels that share axes and the colors of their series. */
export interface Figure {
  /** Unique in its experiment, fit for a file name. */
  readonly id: string
  readonly title: string
  /** What a reader sees and how it was made: the caption, and the text alternative. */
  readonly caption: string
  readonly x: Axis
  readonly y: Axis
  readonly panels: readonly Panel[]
}

/**
 * A run's series averaged over seeds, point i at `xs[i]`, by default i.
 */
export function seriesOverSeeds(
  runs: readonly Run[],
  condition: string,
  series: string,
  {
    name = condition,
    xs,
    ...look
  }: Partial<Pick<Series, 'name' | 'style' | 'slot'>> & { readonly xs?: readonly number[] } = {},
): Series {
  const lists = runs.flatMap((run) => {
    const values = run.condition === condition ? run.series[series] : undefined
    return values ? [values] : []
  })
  const points = (lists[0] ?? []).map((_, i): Point => {
    const { mean, std } = estimate(lists.map((list) => list[i] as number))
    const spread = std === null ? {} : { low: mean - std, high: mean + std }
    return { x: xs?.[i] ?? i, y: mean, ...spread }
  })
  return { name, points, ...look }
}

/** Lines on uPlot, in the colors of the page. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { drawMarks, FONT, LEFT, type Mark, RIGHT } from './axis.js'
import { color, onScheme } from './theme.js'

/** One line. */
export interface Line {
  /** Custom property of its color. */
  readonly color: string
  readonly dashed?: boolean
  readonly width?: number
}

/** Options of {@link createLines}. */
export interface LinesOptions {
  readonly height: number
  readonly lines: readonly Line[]
  /** From and to, of the vertical axis; a function of what is in view. */
  readonly range: readonly [number, number]
  readonly yLabel: string
  /** Absent: the axis below is another panel's. */
  readonly xLabel?: string
  /** Ticks of the vertical axis. */
  readonly ticks: readonly number[]
  readonly format?: (value: number) => string
  /** Vertical lines, given the first position in view. */
  readonly marks?: (first: number) => readonly Mark[]
  readonly label: string
}

/** A chart of lines. */
export interface Lines {
  /** `data[0]` are positions, the rest one array per line; `view` is what the horizontal axis spans. */
  draw(data: readonly (ArrayLike<number | null> & object)[], view: readonly [number, number]): void
}

/** Makes a chart that fills its host's width. */
export function createLines(host: HTMLElement, options: LinesOptions): Lines {
  const { height, lines, yLabel, xLabel, ticks, format = String, label } = options
  let view: readonly [number, number] = [0, 1]
  let data: uPlot.AlignedData = [[], ...lines.map(() => [])]
  const axis = {
    stroke: () => color('--quiet'),
    font: FONT,
    labelFont: FONT,
    grid: { stroke: () => color('--grid'), width: 1 },
    ticks: { show: false },
  }
  const plot = new uPlot(
    {
      width: Math.max(1, host.clientWidth),
      height,
      cursor: { show: false },
      legend: { show: false },
      padding: [8, RIGHT, xLabel === undefined ? 8 : 0, 0],
      scales: {
        x: { time: false, range: () => [...view] as [number, number] },
        y: { range: [...options.range] as [number, number] },
      },
      series: [
        {},
        ...lines.map(
          (line): uPlot.Series => ({
            stroke: () => color(line.color),
            width: line.width ?? 2,
            points: { show: false },
            ...(line.dashed ? { dash: [5, 4] } : {}),
          }),
        ),
      ],
      axes: [
        xLabel === undefined
          ? { show: false }
          : { ...axis, label: xLabel, labelSize: 18, size: 22, gap: 2, grid: { show: false } },
        {
          ...axis,
          label: yLabel,
          labelSize: 18,
          size: LEFT - 18,
          gap: 4,
          splits: () => [...ticks],
          values: (_plot, values) => values.map(format),
        },
      ],
      hooks: {
        drawAxes: [
          (u) => {
            if (!options.marks) return
            drawMarks(
              u.ctx,
              options.marks(Math.ceil(view[0])),
              (at) => u.valToPos(at, 'x', true),
              { top: u.bbox.top, height: u.bbox.height, scale: devicePixelRatio },
              { start: color('--rule'), switch: color('--ink') },
            )
          },
        ],
      },
    },
    data,
    host,
  )
  plot.root.setAttribute('role', 'img')
  plot.root.setAttribute('aria-label', label)
  new ResizeObserver(() => {
    if (host.clientWidth > 0 && host.clientWidth !== plot.width)
      plot.setSize({ width: host.clientWidth, height })
  }).observe(host)
  onScheme(() => plot.redraw())
  return {
    draw: (next, span) => {
      view = span
      data = next as unknown as uPlot.AlignedData
      plot.setData(data)
    },
  }
}

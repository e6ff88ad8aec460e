/** Figures as SVG, with Observable Plot and a document made of plain objects: no browser takes part. */
import { type Figure, legendOf, type Panel } from '../figure.js'
import { colorOf, dashOf, symbolOf } from './palette.js'

/** One panel drawn. */
export interface PanelSvg {
  readonly title: string
  /** A whole `<svg>` element: its text in `currentColor`, its size from `viewBox`. */
  readonly svg: string
  /** The same for a narrow screen, where `svg` would shrink its text too much. */
  readonly narrow?: string
}

/** Pixels; the page scales. */
const WIDE = { width: 720, height: 380 }
const SIDE = { width: 420, height: 300 }

/** Dots of one line that can still be told apart. */
const MOST_DOTS = 32

/** Draws the panels of a figure, and the samples of its legend. */
export async function figureSvgs(figure: Figure): Promise<{
  readonly panels: readonly PanelSvg[]
  readonly legend: readonly PanelSvg[]
}> {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')])
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const legend = legendOf(figure)
  const slots = new Map(legend.map(({ name, slot }) => [name, slot]))
  const axis = ({ label, domain, ticks }: Figure['x']) => ({
    label,
    labelAnchor: 'center' as const,
    nice: domain === undefined,
    ...(domain ? { domain: [...domain] } : {}),
    ...(ticks ? { ticks: [...ticks], tickFormat: String } : {}),
  })
  const lines = (panel: Panel) =>
    panel.series.flatMap(({ name, points, style = 'line' }) => {
      const slot = slots.get(name) as number
      const stroke = colorOf(slot)
      const data = [...points]
      const spread = data.filter((p) => p.low !== undefined)
      const place = { x: 'x', y: 'y' }
      if (style === 'bound')
        return [Plot.line(data, { ...place, stroke, strokeWidth: 1.6, strokeDasharray: dashOf(slot) })]
      const every = style === 'line' ? Math.ceil(data.length / MOST_DOTS) : 1
      const dotted = data.filter((_, i) => i % every === 0)
      const dot = Plot.dot(dotted, {
        ...place,
        stroke,
        fill: stroke,
        fillOpacity: 0.35,
        r: 3.2,
        symbol: symbolOf(slot),
      })
      if (style === 'dots')
        return [
          Plot.ruleX(spread, { x: 'x', y1: 'low', y2: 'high', stroke, strokeWidth: 1.2, clip: true }),
          dot,
        ]
      return [
        Plot.areaY(spread, { x: 'x', y1: 'low', y2: 'high', fill: stroke, fillOpacity: 0.18, clip: true }),
        Plot.line(data, { ...place, stroke, strokeWidth: 2 }),
        dot,
      ]
    })
  const marks = ({ marks = [] }: Panel) =>
    marks.flatMap(({ axis, at, label }) => {
      const rule = { stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '1 3' }
      const text = { text: () => label, fill: 'currentColor', fillOpacity: 0.8, fontSize: 11 }
      return axis === 'x'
        ? [
            Plot.ruleX([at], rule),
            Plot.text([at], { ...text, x: at, frameAnchor: 'top', textAnchor: 'start', dx: 5, dy: -13 }),
          ]
        : [
            Plot.ruleY([at], rule),
            Plot.text([at], { ...text, y: at, frameAnchor: 'right', textAnchor: 'end', dx: -4, dy: -7 }),
          ]
    })
  const draw = (panel: Panel, size: typeof WIDE): string => {
    const svg = Plot.plot({
      document,
      ...size,
      marginTop: 26,
      marginLeft: 62,
      marginBottom: 44,
      marginRight: 16,
      ariaLabel: [figure.title, panel.title].filter(Boolean).join(', '),
      ariaDescription: figure.caption,
      style: { fontSize: '13px', background: 'none', overflow: 'visible' },
      x: axis(figure.x),
      y: { ...axis(figure.y), grid: true },
      marks: [Plot.frame({ stroke: 'currentColor', strokeOpacity: 0.25 }), ...marks(panel), ...lines(panel)],
    })
    svg.setAttribute('role', 'img')
    return svg.outerHTML
  }
  const panels = figure.panels.map((panel) =>
    figure.panels.length > 1
      ? { title: panel.title, svg: draw(panel, SIDE) }
      : { title: panel.title, svg: draw(panel, WIDE), narrow: draw(panel, SIDE) },
  )
  const samples = legend.map(({ name, style }) => {
    const sample: Panel = {
      title: '',
      series: [
        {
          name,
          style: style ?? 'line',
          points: style === 'dots' ? [{ x: 1, y: 0 }] : [0, 1, 2].map((x) => ({ x, y: 0 })),
        },
      ],
    }
    const none = { axis: null, domain: [0, 2] }
    const svg = Plot.plot({
      document,
      width: 44,
      height: 14,
      margin: 5,
      x: none,
      y: { axis: null, domain: [-1, 1] },
      marks: lines(sample),
    })
    svg.setAttribute('aria-hidden', 'true')
    return { title: name, svg: svg.outerHTML }
  })
  return { panels, legend: samples }
}

/** The membrane as a heat map: dimensions down, tokens across. */
import { drawMarks, FONT, firstInView, LEFT, marksFrom, RIGHT, WINDOW } from './axis.js'
import { createCanvas } from './canvas.js'
import type { Moment } from './player.js'
import { color, heat } from './theme.js'

const ROW = 9
const SCALE_WIDTH = 34

/** Makes the panel. */
export function createMembranePanel(
  host: HTMLElement,
  dim: number,
): { draw(moments: readonly Moment[]): void } {
  const high = dim * ROW
  const canvas = createCanvas(
    host,
    high + 8,
    `Heat map of the membrane: ${dim} dimensions over the last ${WINDOW} tokens`,
  )
  let range = 1
  return {
    draw: (moments) =>
      canvas.paint((context, width) => {
        const first = firstInView(moments.at(-1)?.n ?? 0)
        const column = (width - LEFT - RIGHT) / WINDOW
        const place = (at: number) => LEFT + (at - first + 0.5) * column
        range = settle(range, moments)
        for (const { n, membrane } of moments) {
          if (n < first || !membrane) continue
          const left = Math.floor(place(n - 0.5))
          const right = Math.floor(place(n + 0.5))
          for (let d = 0; d < dim; d++) {
            context.fillStyle = heat((membrane[d] as number) / range)
            context.fillRect(left, 4 + d * ROW, right - left, ROW - 1)
          }
        }
        drawMarks(
          context,
          marksFrom(first),
          place,
          { top: 2, height: high + 4, scale: 1 },
          { start: color('--rule'), switch: color('--ink') },
        )
        labels(context, dim, high)
        legend(context, width, high, range)
      }),
  }
}

/** The end of the color scale: a round number that follows the largest value in view, slowly when that falls. */
function settle(range: number, moments: readonly Moment[]): number {
  let largest = 0.5
  for (const { membrane } of moments)
    for (let d = 0; membrane && d < membrane.length; d++)
      largest = Math.max(largest, Math.abs(membrane[d] as number))
  const wanted = Math.ceil(largest * 2) / 2
  return wanted > range || wanted < range * 0.6 ? wanted : range
}

function labels(context: CanvasRenderingContext2D, dim: number, high: number): void {
  context.font = FONT
  context.fillStyle = color('--quiet')
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const d of [1, dim / 2, dim / 2 + 1, dim])
    if (d !== dim / 2 + 1) context.fillText(`${d}`, LEFT - 6, 4 + (d - 0.5) * ROW)
  context.save()
  context.translate(14, 4 + high / 2)
  context.rotate(-Math.PI / 2)
  context.textAlign = 'center'
  context.fillText('dimension', 0, 0)
  context.restore()
}

/** What the colors mean, on a plate in the corner. */
function legend(context: CanvasRenderingContext2D, width: number, high: number, range: number): void {
  const total = SCALE_WIDTH * 2 + 62
  const left = width - RIGHT - total - 4
  const top = 4 + high - 22
  context.globalAlpha = 0.9
  context.fillStyle = color('--card')
  context.fillRect(left, top, total, 18)
  context.globalAlpha = 1
  const bar = left + 32
  for (let i = 0; i < SCALE_WIDTH * 2; i++) {
    context.fillStyle = heat(i / SCALE_WIDTH - 1)
    context.fillRect(bar + i, top + 5, 1, 8)
  }
  context.fillStyle = color('--quiet')
  context.textBaseline = 'middle'
  context.textAlign = 'right'
  context.fillText(`−${range}`, bar - 5, top + 9)
  context.textAlign = 'left'
  context.fillText(`${range}`, bar + SCALE_WIDTH * 2 + 5, top + 9)
}

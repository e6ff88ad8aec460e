/** The expert that the gate chose above the one that was right. */
import { BOTTOM, drawMarks, FONT, firstInView, LEFT, marksFrom, RIGHT, WINDOW } from './axis.js'
import { createCanvas } from './canvas.js'
import type { Moment } from './player.js'
import { color } from './theme.js'

const ROW = 24
const GAP = 4

/** Makes the panel. */
export function createChoicePanel(host: HTMLElement): { draw(moments: readonly Moment[]): void } {
  const high = 2 * ROW + GAP
  const canvas = createCanvas(
    host,
    high + BOTTOM,
    `The expert chosen and the right one, over the last ${WINDOW} tokens`,
  )
  return {
    draw: (moments) =>
      canvas.paint((context, width) => {
        const first = firstInView(moments.at(-1)?.n ?? 0)
        const column = (width - LEFT - RIGHT) / WINDOW
        const place = (at: number) => LEFT + (at - first + 0.5) * column
        context.font = FONT
        context.textBaseline = 'middle'
        for (const { n, chosen, right } of moments) {
          if (n < first || right === undefined) continue // the last token has no successor: nothing is right
          cell(context, place(n), 0, column, chosen, chosen === right)
          cell(context, place(n), ROW + GAP, column, right, true)
        }
        drawMarks(
          context,
          marksFrom(first),
          place,
          { top: 0, height: high, scale: 1 },
          { start: color('--rule'), switch: color('--ink') },
        )
        context.fillStyle = color('--quiet')
        context.textAlign = 'right'
        context.fillText('chosen', LEFT - 6, ROW / 2)
        context.fillText('right', LEFT - 6, ROW + GAP + ROW / 2)
        ticks(context, first, place, high)
        context.textAlign = 'center'
        context.fillText('token', LEFT + (width - LEFT - RIGHT) / 2, high + 27)
      }),
  }
}

/** A wrong choice is hollow, so that color is not all that tells it. */
function cell(
  context: CanvasRenderingContext2D,
  center: number,
  top: number,
  column: number,
  expert: number,
  right: boolean,
): void {
  const hue = color(`--expert-${expert}`)
  const [left, width] = [Math.floor(center - column / 2) + 0.5, Math.max(2, Math.floor(column) - 1)]
  if (right) {
    context.fillStyle = hue
    context.fillRect(left, top, width, ROW)
  } else {
    context.strokeStyle = hue
    context.lineWidth = 2
    context.strokeRect(left + 1, top + 1, width - 2, ROW - 2)
  }
  if (column < 12) return
  context.fillStyle = right ? color('--card') : hue
  context.textAlign = 'center'
  context.fillText(`${expert}`, center, top + ROW / 2 + 0.5)
}

function ticks(
  context: CanvasRenderingContext2D,
  first: number,
  place: (at: number) => number,
  high: number,
): void {
  context.textAlign = 'center'
  for (let n = Math.ceil(first / 6) * 6; n < first + WINDOW; n += 6)
    context.fillText(`${n}`, place(n), high + 11)
}

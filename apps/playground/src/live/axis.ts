/** What all panels over time share, so that a token is in the same column of each. */
import { domainSwitch } from '@fep-moe/experiments'

/** Sequences in view. */
const SHOWN = 3
/** Tokens in view. */
export const WINDOW = SHOWN * domainSwitch.steps
/** Pixels left of the plot, for labels. */
export const LEFT = 58
/** Pixels right of it. */
export const RIGHT = 14
/** Pixels below it, where there is an axis. */
export const BOTTOM = 34
/** Of labels on a canvas. */
export const FONT = '12px system-ui, sans-serif'

/** Index of the first token in view, where the last one is n. */
export const firstInView = (n: number): number => Math.max(0, n - WINDOW + 1)

/** Where a vertical line belongs between two tokens in view: the start of a sequence, or its switch. */
export interface Mark {
  /** Half-way between two tokens. */
  readonly at: number
  readonly kind: 'start' | 'switch'
}

/** All of them in a view that begins at token `first`. */
export function marksFrom(first: number): Mark[] {
  const { steps, switchAt } = domainSwitch
  const marks: Mark[] = []
  for (let n = first; n < first + WINDOW; n++) {
    if (n % steps === 0 && n > first) marks.push({ at: n - 0.5, kind: 'start' })
    if (n % steps === switchAt && n > first) marks.push({ at: n - 0.5, kind: 'switch' })
  }
  return marks
}

/** Draws marks as vertical lines. @param place pixels from the left for a position in tokens */
export function drawMarks(
  context: CanvasRenderingContext2D,
  marks: readonly Mark[],
  place: (at: number) => number,
  area: { readonly top: number; readonly height: number; readonly scale: number },
  colors: { readonly start: string; readonly switch: string },
): void {
  context.save()
  for (const { at, kind } of marks) {
    const x = Math.round(place(at)) + 0.5
    context.strokeStyle = colors[kind]
    context.lineWidth = (kind === 'switch' ? 1.5 : 1) * area.scale
    context.setLineDash(kind === 'switch' ? [4 * area.scale, 3 * area.scale] : [])
    context.beginPath()
    context.moveTo(x, area.top)
    context.lineTo(x, area.top + area.height)
    context.stroke()
  }
  context.restore()
}

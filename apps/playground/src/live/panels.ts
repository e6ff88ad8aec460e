/** The panels over time, and the curve of a training. */
import { domainSwitch, domainSwitchBounds } from '@fep-moe/experiments'
import { firstInView, marksFrom, WINDOW } from './axis.js'
import { createChoicePanel } from './choice-panel.js'
import { createLines } from './lines.js'
import { createMembranePanel } from './membrane-panel.js'
import type { Moment } from './player.js'
import { onScheme } from './theme.js'

/** Everything that is drawn. */
export interface Panels {
  /** The stream so far, oldest first; more than is in view is not drawn. */
  stream(moments: readonly Moment[]): void
  /** Accuracy before the switch, per training step. */
  curve(accuracy: readonly number[], planned: number): void
  /** Whether the gate has a membrane to show. */
  membrane(present: boolean): void
}

/** With a space that does not break. */
const percent = (share: number) => `${Math.round(share * 100)}\u00a0%`
const find = (id: string) => document.getElementById(id) as HTMLElement

/** Makes them, in the places that the page has for them. */
export function createPanels(): Panels {
  const { dim, experts } = domainSwitch
  const prediction = createLines(find('prediction'), {
    height: 150,
    lines: [
      { color: '--expert-0' },
      { color: '--expert-2' },
      { color: '--expert-0', dashed: true, width: 1.5 },
      { color: '--expert-2', dashed: true, width: 1.5 },
    ],
    range: [-1, 2],
    ticks: [-1, 0, 1, 2],
    format: (value) => `${value}`.replace('-', '−'),
    yLabel: 'mean value',
    marks: marksFrom,
    label: 'Token and prediction by domain over the last tokens',
  })
  const membrane = createMembranePanel(find('membrane'), dim)
  const mass = createLines(find('mass'), {
    height: 130,
    lines: Array.from({ length: experts }, (_, e) => ({ color: `--expert-${e}` })),
    range: [0, 1],
    ticks: [0, 0.5, 1],
    yLabel: 'probability',
    marks: marksFrom,
    label: 'Gate mass of each expert over the last tokens',
  })
  const choice = createChoicePanel(find('choice'))
  const curve = createLines(find('curve'), {
    height: 190,
    lines: [{ color: '--accent' }, { color: '--quiet', dashed: true, width: 1.5 }],
    range: [-0.02, 1],
    ticks: [0, 0.25, 0.5, 0.75, 1],
    format: percent,
    yLabel: 'accuracy',
    xLabel: 'training step',
    label: 'Accuracy at the step before the switch over the training',
  })
  const { transition } = domainSwitchBounds().stateless
  let latest: readonly Moment[] = []
  const stream = (moments: readonly Moment[]) => {
    latest = moments
    const first = firstInView(moments.at(-1)?.n ?? 0)
    const shown = moments.slice(-WINDOW)
    const view = [first - 0.5, first + WINDOW - 0.5] as const
    const positions = shown.map(({ n }) => n)
    // What was predicted at the token before; a sequence's first token was predicted by nobody.
    const predicted = shown.map(({ step }, i) => (step > 0 ? shown[i - 1]?.prediction : undefined))
    prediction.draw(
      [
        positions,
        shown.map(({ token }) => token[0]),
        shown.map(({ token }) => token[1]),
        predicted.map((p) => p?.[0] ?? null),
        predicted.map((p) => p?.[1] ?? null),
      ],
      view,
    )
    mass.draw(
      [positions, ...Array.from({ length: experts }, (_, e) => shown.map((m) => m.mass[e] as number))],
      view,
    )
    membrane.draw(shown)
    choice.draw(shown)
  }
  onScheme(() => stream(latest))
  new ResizeObserver(() => stream(latest)).observe(find('choice'))
  return {
    stream,
    curve: (accuracy, planned) => {
      const span = [0, Math.max(planned, accuracy.length)] as const
      const positions = accuracy.length > 0 ? accuracy.map((_, i) => i + 1) : [...span]
      const smooth = smoothed(accuracy)
      curve.draw(
        [
          [0, ...positions, span[1]],
          [null, ...(accuracy.length > 0 ? smooth : [null, null]), null],
          [transition, ...positions.map(() => transition), transition],
        ],
        span,
      )
    },
    membrane: (present) => {
      find('membrane-figure').hidden = !present
    },
  }
}

/** Means over the last ten steps: a batch has 128 sequences, so one step alone is noisy. */
function smoothed(values: readonly number[]): number[] {
  let sum = 0
  return values.map((value, i) => {
    sum += value - (i >= 10 ? (values[i - 10] as number) : 0)
    return sum / Math.min(i + 1, 10)
  })
}

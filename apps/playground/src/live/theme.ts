/** Colors of the style sheet, for what is painted on a canvas. */
const scheme = matchMedia('(prefers-color-scheme: dark)')
const known = new Map<string, string>()
let ramp: readonly string[] | undefined
scheme.addEventListener('change', () => {
  known.clear()
  ramp = undefined
})

/** The value of a custom property, `--ink` for instance. */
export function color(name: string): string {
  let value = known.get(name)
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim()
    known.set(name, value)
  }
  return value
}

/** Calls back when the page turns light or dark. */
export function onScheme(work: () => void): void {
  scheme.addEventListener('change', work)
}

/** Red, green and blue of `#rrggbb`, 0..255. */
const channels = (hex: string): readonly number[] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))

/** Steps of the scale on either side of its middle. */
const STEPS = 32

/** The color of a value in −1..1 on the diverging scale: low, neutral at 0, high. */
export function heat(value: number): string {
  ramp ??= Array.from({ length: 2 * STEPS + 1 }, (_, i) => mixed(i / STEPS - 1))
  const at = Math.round((Math.max(-1, Math.min(1, value)) + 1) * STEPS)
  return ramp[at] as string
}

function mixed(value: number): string {
  const end = channels(color(value < 0 ? '--heat-low' : '--heat-high'))
  const middle = channels(color('--heat-mid'))
  const parts = middle.map((m, i) => Math.round(m + Math.abs(value) * ((end[i] as number) - m)))
  return `rgb(${parts.join(' ')})`
}

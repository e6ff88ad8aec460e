/** How long frames take, for people who wonder and for the test that reports it. */

/** Of the last frames, in milliseconds. */
export interface FrameTimes {
  readonly frames: number
  /** From the start of a frame's work to its end. */
  readonly work: { readonly median: number; readonly p95: number }
  /** From one frame to the next. */
  readonly interval: { readonly median: number; readonly p95: number }
}

/** Frames that count. */
const KEPT = 300

/** A meter. */
export interface FrameMeter {
  /** Called at the end of a frame's work, with the time that it began. */
  add(began: number): void
  times(): FrameTimes
  clear(): void
}

/** A meter that has seen nothing. */
export function createFrameMeter(): FrameMeter {
  let work: number[] = []
  let intervals: number[] = []
  let last: number | undefined
  const keep = (list: number[], value: number) => [...list.slice(-(KEPT - 1)), value]
  return {
    add: (began) => {
      work = keep(work, performance.now() - began)
      if (last !== undefined) intervals = keep(intervals, began - last)
      last = began
    },
    times: () => ({ frames: work.length, work: quantiles(work), interval: quantiles(intervals) }),
    clear: () => {
      work = []
      intervals = []
      last = undefined
    },
  }
}

function quantiles(values: readonly number[]): { median: number; p95: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { median: at(0.5), p95: at(0.95) }
}

/** Laps and their order statistics. */
import { setImmediate } from 'node:timers/promises'

/** Microseconds of a repeated action, with one decimal. */
export interface Laps {
  readonly p50_us: number
  readonly p99_us: number
  readonly mean_us: number
}

/** An order statistic of milliseconds, in microseconds with one decimal. */
export function quantile(laps: readonly number[], q: number): number {
  const sorted = [...laps].sort((a, b) => a - b)
  return toMicroseconds(sorted[Math.floor(sorted.length * q)] as number)
}

const toMicroseconds = (milliseconds: number): number => Math.round(milliseconds * 1e4) / 10

/** How often to do it. */
export interface LapOptions {
  readonly steps: number
  readonly warmUp: number
  readonly signal: AbortSignal
}

/** Times an action, one lap after the other. */
export async function timeLaps(
  action: () => Promise<unknown>,
  { steps, warmUp, signal }: LapOptions,
): Promise<Laps> {
  const laps: number[] = []
  for (let i = -warmUp; i < steps; i++) {
    const start = performance.now()
    await action()
    const end = performance.now()
    if (i >= 0) laps.push(end - start)
    // Between laps: a signal to stop is seen here, on a synchronous backend too.
    if (i % 100 === 0) await setImmediate()
    signal.throwIfAborted()
  }
  const mean = laps.reduce((sum, lap) => sum + lap, 0) / laps.length
  return { p50_us: quantile(laps, 0.5), p99_us: quantile(laps, 0.99), mean_us: toMicroseconds(mean) }
}

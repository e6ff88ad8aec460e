/** `fep-moe bench stream` and `fep-moe bench route` */
import { textTable } from '@fep-moe/experiments'
import { openBackend } from '../../backends.js'
import { ROUTE_SIZE, STREAM_SIZES, timeRoute, timeStream } from '../../bench/inference.js'
import type { Laps } from '../../bench/laps.js'
import type { BenchFlags } from './flags.js'

/** Times one routing decision at a time. */
export async function benchStream(
  { backend: name, threads, steps, json }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const backend = await openBackend(name, { threads })
  const timings = []
  try {
    for (const size of STREAM_SIZES) {
      const timing = await timeStream(backend, size, { steps, warmUp: 200, signal })
      if (json) process.stdout.write(`${JSON.stringify(timing)}\n`)
      timings.push(timing)
    }
  } finally {
    await backend.dispose()
  }
  if (json) return
  const title = `One token, one sequence, memory and direct anticipation, on ${name}, ${threads} thread(s), ${steps} steps`
  const rows = timings.map((t) => [`${t.d}`, `${t.experts}`, ...lapCells(t)])
  process.stdout.write(
    `${textTable({ title, columns: ['d', 'experts', ...LAP_COLUMNS], rows, notes: [] })}\n`,
  )
}

/** Times the routing of long sequences. */
export async function benchRoute(
  { backend: name, threads, steps, json }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const backend = await openBackend(name, { threads })
  try {
    const timing = await timeRoute(backend, ROUTE_SIZE, { steps, warmUp: 2, signal })
    const { batch, steps: length, dim, experts } = timing
    const title = `Sequences, memory and direct anticipation, on ${name}, ${threads} thread(s): B ${batch}, T ${length}, d ${dim}, E ${experts}`
    const text = json
      ? JSON.stringify(timing)
      : textTable({ title, columns: LAP_COLUMNS, rows: [lapCells(timing)], notes: [] })
    process.stdout.write(`${text}\n`)
  } finally {
    await backend.dispose()
  }
}

const LAP_COLUMNS = ['p50 µs', 'p99 µs', 'mean µs']
const lapCells = (t: Laps): string[] => [t.p50_us, t.p99_us, t.mean_us].map((x) => x.toFixed(1))

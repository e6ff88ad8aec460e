/** `fep-moe bench stream` and `fep-moe bench route` */
import { textTable } from '@fep-moe/experiments'
import { openBackend } from '../../backends.js'
import { ROUTE_SIZE, STREAM_SIZES, timeRoute, timeStream } from '../../bench/inference.js'
import type { Laps } from '../../bench/laps.js'
import { type Comparable, type Identity, readPeer, withPeer } from '../../bench/peer.js'
import type { BenchFlags } from './flags.js'

/** Times one routing decision at a time. */
export async function benchStream(
  { backend: name, threads, steps, json, peer: file }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const peer = file === undefined ? undefined : readPeer(file)
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
  const table = withPeer(
    { title, columns: ['d', 'experts', ...LAP_COLUMNS], rows },
    peer,
    ['p50 µs'],
    timings.map((t) => [comparable(t, { d: t.d, experts: t.experts })]),
  )
  process.stdout.write(`${textTable(table)}\n`)
}

/** Times the routing of long sequences. */
export async function benchRoute(
  { backend: name, threads, steps, json, peer: file }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const peer = file === undefined ? undefined : readPeer(file)
  const backend = await openBackend(name, { threads })
  try {
    const timing = await timeRoute(backend, ROUTE_SIZE, { steps, warmUp: 2, signal })
    const { batch, steps: length, dim, experts } = timing
    const title = `Sequences, memory and direct anticipation, on ${name}, ${threads} thread(s): B ${batch}, T ${length}, d ${dim}, E ${experts}`
    const table = withPeer(
      { title, columns: LAP_COLUMNS, rows: [lapCells(timing)] },
      peer,
      ['p50 µs'],
      [[comparable(timing, { batch, steps: length, dim, experts })]],
    )
    process.stdout.write(`${json ? JSON.stringify(timing) : textTable(table)}\n`)
  } finally {
    await backend.dispose()
  }
}

const comparable = ({ what, p50_us }: Laps & { readonly what: string }, identity: Identity): Comparable => ({
  value: p50_us,
  peer: [{ what, identity, field: 'p50_us' }],
  digits: 1,
})

const LAP_COLUMNS = ['p50 µs', 'p99 µs', 'mean µs']
const lapCells = (t: Laps): string[] => [t.p50_us, t.p99_us, t.mean_us].map((x) => x.toFixed(1))

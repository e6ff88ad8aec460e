/** `fep-moe bench layer` */
import { textTable } from '@fep-moe/experiments'
import { openBackend } from '../../backends.js'
import { timeLayer } from '../../bench/layer.js'
import { readPeer, withPeer } from '../../bench/peer.js'
import type { BenchFlags } from './flags.js'

/** What the command line gives beside. */
export interface LayerFlags extends BenchFlags {
  readonly tokens: number
  readonly d: number
  readonly hidden: number
  readonly experts: readonly number[]
  readonly topK: number
}

/** Times a sparse layer, one number of experts after the other. */
export async function benchLayer(flags: LayerFlags, signal: AbortSignal): Promise<void> {
  const { backend: name, threads, steps, json, peer: file, tokens, d, hidden, topK } = flags
  const peer = file === undefined ? undefined : readPeer(file)
  const backend = await openBackend(name, { threads })
  const timings = []
  try {
    for (const experts of flags.experts) {
      const size = { tokens, d, hidden, experts, topK }
      const timing = await timeLayer(backend, size, { steps, warmUp: 2, signal })
      if (json) process.stdout.write(`${JSON.stringify(timing)}\n`)
      timings.push(timing)
    }
  } finally {
    await backend.dispose()
  }
  if (json) return
  const table = withPeer(
    {
      title: `Sparse layer on ${name}, ${threads} thread(s): ${tokens} tokens, d ${d}, hidden ${hidden}, ${topK} experts per token`,
      columns: ['experts', 'p50 µs', 'p99 µs', 'mean µs'],
      rows: timings.map((t) => [`${t.experts}`, ...[t.p50_us, t.p99_us, t.mean_us].map((x) => x.toFixed(1))]),
    },
    peer,
    ['p50 µs'],
    timings.map(({ p50_us, experts }) => [
      {
        value: p50_us,
        peer: [{ what: 'layer', identity: { experts, tokens, d, hidden }, field: 'p50_us' }],
        digits: 1,
      },
    ]),
  )
  process.stdout.write(`${textTable(table)}\n`)
}

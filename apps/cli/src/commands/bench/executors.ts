/** `fep-moe bench executors` and `fep-moe bench memory` */
import { type Backend, FepError } from '@fep-moe/core'
import { ablation, textTable } from '@fep-moe/experiments'
import { type BackendName, executorNames, openBackend } from '../../backends.js'
import { type ExecutorTiming, timeExecutor } from '../../bench/executors.js'
import { measureMemory } from '../../bench/memory.js'
import { type Comparable, type Identity, readPeer, withPeer } from '../../bench/peer.js'
import type { BenchFlags } from './flags.js'

/** Times every executor that is here. */
export async function benchExecutors(
  { threads, steps, json, peer: file }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const peer = file === undefined ? undefined : readPeer(file)
  const timings = await onEachExecutor(threads, json, (name, backend) =>
    timeExecutor(name, backend, { steps, signal }),
  )
  if (json) return
  const { dim, experts, batch, steps: length } = ablation.settings()
  const table = withPeer(
    {
      title: `Executors alone, ${threads} thread(s), p50 µs: d ${dim}, E ${experts}, memory and anticipation`,
      columns: ['executor', 'forward', 'training step', 'streaming step'],
      rows: timings.map((t) => [
        t.executor,
        t.forward_us.toFixed(0),
        t.train_us.toFixed(0),
        t.stream_us.toFixed(1),
      ]),
      notes: [
        `forward, training step: B ${batch}, T ${length}, batch generation included in the step. Streaming: one token.`,
      ],
    },
    peer,
    ['forward', 'training step', 'streaming step'],
    timings.map((t) => executorFigures(t, { d: dim, experts })),
  )
  process.stdout.write(`${textTable(table)}\n`)
}

/** Meets the same executor of another run; else a peer with one executor, in the ablation's step and the same gate's stream. */
function executorFigures(t: ExecutorTiming, size: Identity): Comparable[] {
  const { what, executor } = t
  const own = (field: keyof ExecutorTiming) => ({ what, identity: { executor }, field })
  const train = { experiment: 'ablation', condition: 'beta+ant' }
  return [
    { value: t.forward_us, peer: [own('forward_us')] },
    {
      value: t.train_us,
      peer: [own('train_us'), { what: 'train', identity: train, field: 'p50_us' }],
    },
    {
      value: t.stream_us,
      peer: [own('stream_us'), { what: 'stream', identity: size, field: 'p50_us' }],
      digits: 1,
    },
  ]
}

/** Watches the memory of every executor that is here. */
export async function benchMemory(
  { threads, steps, json, peer: file }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  const peer = file === undefined ? undefined : readPeer(file)
  const rows = await onEachExecutor(threads, json, (name, backend) =>
    measureMemory(name, backend, { steps, signal }),
  )
  if (json) return
  const list = (values: readonly number[]) => values.map((x) => x.toFixed(2)).join(' / ')
  const table = withPeer(
    {
      title: `Memory over ${steps} streaming steps: d 16, E 4, memory and anticipation`,
      columns: ['executor', 'heap MB', 'resident MB', 'heap bytes per step'],
      rows: rows.map((r) => [r.executor, list(r.heap_mb), list(r.rss_mb), `${r.heap_bytes_per_step}`]),
      notes: ['After a fifth, three fifths and all of the steps, each after a garbage collection.'],
    },
    peer,
    ['resident MB'],
    rows.map(({ what, executor, rss_mb }) => [
      {
        value: rss_mb.at(-1) as number,
        peer: [{ what, identity: { executor }, field: 'rss_mb' }],
        digits: 2,
      },
    ]),
  )
  process.stdout.write(`${textTable(table)}\n`)
}

/** Every executor that is here, one after the other, each alone. */
async function onEachExecutor<R>(
  threads: number,
  json: boolean | undefined,
  measure: (name: BackendName, backend: Backend) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (const name of executorNames) {
    try {
      const backend = await openBackend(name, { threads, alone: true })
      try {
        const result = await measure(name, backend)
        if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
        results.push(result)
      } finally {
        await backend.dispose()
      }
    } catch (error) {
      if (!(error instanceof FepError && error.code === 'FEP_BACKEND_MISSING')) throw error
      process.stderr.write(`${name} does not run here: ${error.message}\n`)
    }
  }
  return results
}

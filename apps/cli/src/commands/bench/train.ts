/** `fep-moe bench train` */
import { findExperiment, type Table, textTable } from '@fep-moe/experiments'
import { openBackend } from '../../backends.js'
import { readPeer, withPeer } from '../../bench/peer.js'
import { profileTable, profileTraining } from '../../bench/profile.js'
import { type TrainTiming, timeTraining } from '../../bench/train.js'
import { type Trainable, trainables } from '../../bench/trainings.js'
import { namesFlag } from '../../flags.js'
import type { BenchFlags } from './flags.js'

/** Times training steps of an experiment, or profiles their programs. */
export async function benchTrain(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  const { backend: name, experiment, threads, steps, json, profile } = flags
  const peer = flags.peer === undefined ? undefined : readPeer(flags.peer)
  const conditions = conditionsOf(flags)
  if (profile) return benchProfile(flags, signal)
  const backend = await openBackend(name, { threads })
  const timings: TrainTiming[] = []
  try {
    for (const condition of conditions) {
      const timing = await timeTraining(backend, { experiment, condition, steps, signal })
      if (json) process.stdout.write(`${JSON.stringify(timing)}\n`)
      timings.push(timing)
    }
  } finally {
    await backend.dispose()
  }
  if (json) return
  const table = withPeer(
    trainTable(timings, flags),
    peer,
    ['p50 µs'],
    timings.map(({ what, condition, p50_us }) => [
      { value: p50_us, peer: [{ what, identity: { experiment, condition }, field: 'p50_us' }] },
    ]),
  )
  process.stdout.write(`${textTable(table)}\n`)
}

/** What to time. Which names there are depends on another flag, so they are checked when all flags are known. */
function conditionsOf({ experiment, condition }: BenchFlags): readonly string[] {
  const { conditions } = findExperiment(experiment)
  return condition === undefined ? conditions : namesFlag<string>('--condition', conditions)(condition)
}

async function benchProfile(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  const { backend, experiment, threads, steps, json } = flags
  for (const condition of conditionsOf(flags)) {
    signal.throwIfAborted()
    const nodes = await profileTraining({ backend, experiment, condition, threads, steps })
    const lines = json
      ? nodes.map((node) => JSON.stringify(node))
      : [textTable(profileTable(condition, nodes)), '']
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

function trainTable(timings: readonly TrainTiming[], flags: BenchFlags): Table {
  const { experiment, backend, threads, steps } = flags
  const { [experiment]: lent }: Readonly<Record<string, Trainable>> = trainables
  const title = `Training step of ${experiment} on ${backend}, ${threads} thread(s), ${steps} steps`
  return {
    title: lent ? `${title}: ${lent.sizes}` : title,
    columns: ['condition', 'p50 µs', 'p99 µs', 'data µs', 'run µs', 'create ms'],
    rows: timings.map((t) => [
      t.condition,
      ...[t.p50_us, t.p99_us, t.data_us, t.run_us].map((x) => x?.toFixed(0) ?? ''),
      t.create_ms.toFixed(1),
    ]),
    notes: [
      lent
        ? 'p50 and p99: data, gradient, update, Π. data, run: medians of making a batch and of the program alone.'
        : 'p50 and p99: an epoch, its batches included. run: median of the programs alone. create: with the first epoch.',
    ],
  }
}

/** `fep-moe bench train` */
import { ablation, type Table, textTable } from '@fep-moe/experiments'
import { openBackend } from '../../backends.js'
import { profileTable, profileTraining } from '../../bench/profile.js'
import { type TrainTiming, timeTraining } from '../../bench/train.js'
import type { BenchFlags } from './flags.js'

/** Times training steps of the ablation, or profiles their programs. */
export async function benchTrain(flags: BenchFlags, signal: AbortSignal): Promise<void> {
  const { backend: name, condition: conditions = ablation.conditions, threads, steps, json, profile } = flags
  if (profile) return benchProfile(flags, signal)
  const backend = await openBackend(name, { threads })
  const timings: TrainTiming[] = []
  try {
    for (const condition of conditions) {
      const timing = await timeTraining(backend, { condition, steps, signal })
      if (json) process.stdout.write(`${JSON.stringify(timing)}\n`)
      timings.push(timing)
    }
  } finally {
    await backend.dispose()
  }
  if (!json) process.stdout.write(`${textTable(trainTable(timings, flags))}\n`)
}

async function benchProfile(
  { backend, condition: conditions = ablation.conditions, threads, steps, json }: BenchFlags,
  signal: AbortSignal,
): Promise<void> {
  for (const condition of conditions) {
    signal.throwIfAborted()
    const nodes = await profileTraining({ backend, condition, threads, steps })
    const lines = json
      ? nodes.map((node) => JSON.stringify(node))
      : [textTable(profileTable(condition, nodes)), '']
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

function trainTable(timings: readonly TrainTiming[], { backend, threads, steps }: BenchFlags): Table {
  const { batch, steps: length, dim, experts } = ablation.settings()
  return {
    title: `Training step on ${backend}, ${threads} thread(s), ${steps} steps: B ${batch}, T ${length}, d ${dim}, E ${experts}`,
    columns: ['condition', 'p50 µs', 'p99 µs', 'data µs', 'run µs', 'create ms'],
    rows: timings.map((t) => [
      t.condition,
      ...[t.p50_us, t.p99_us, t.data_us, t.run_us].map((x) => x.toFixed(0)),
      t.create_ms.toFixed(1),
    ]),
    notes: [
      'p50 and p99: data, gradient, update, Π. data, run: medians of making a batch and of the program alone.',
    ],
  }
}

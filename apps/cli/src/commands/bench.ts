/** `fep-moe bench`: how long things take. */
import { ablation, type Table, textTable } from '@fep-moe/experiments'
import type { Command } from 'commander'
import { type BackendName, backendNames, openBackend } from '../backends.js'
import { profileTable, profileTraining } from '../bench/profile.js'
import { type TrainTiming, timeTraining } from '../bench/train.js'
import { integerFlag, nameFlag, namesFlag } from '../flags.js'
import { interruptible } from '../interrupt.js'

interface Flags {
  readonly backend: BackendName
  readonly condition?: readonly string[]
  readonly threads: number
  readonly steps: number
  readonly json?: boolean
  readonly profile?: boolean
}

/** Adds the command and its parts. */
export function benchCommand(program: Command): void {
  const bench = program.command('bench').description('time a backend')
  bench
    .command('train')
    .description('time a training step of the ablation, batch generation included')
    .option('--backend <name>', backendNames.join(' or '), nameFlag('--backend', backendNames), 'onnx')
    .option(
      '--condition <list>',
      'separated by commas; default: all',
      namesFlag('--condition', ablation.conditions),
    )
    .option('--threads <n>', 'threads of the backend', integerFlag('--threads', 1, 256), 1)
    .option(
      '--steps <n>',
      'measured steps per condition, after 20 unmeasured ones',
      integerFlag('--steps', 1, 1_000_000),
      200,
    )
    .option('--profile', 'print the time per node of the program instead')
    .option('--json', 'print one JSON object per line')
    .action((flags: Flags) => interruptible((signal) => benchTrain(flags, signal)))
}

async function benchTrain(flags: Flags, signal: AbortSignal): Promise<void> {
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
  if (!json) process.stdout.write(`${textTable(table(timings, flags))}\n`)
}

async function benchProfile(
  { backend, condition: conditions = ablation.conditions, threads, steps, json }: Flags,
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

function table(timings: readonly TrainTiming[], { backend, threads, steps }: Flags): Table {
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

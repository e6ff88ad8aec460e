/** `fep-moe reproduce`: run a published table again and print ours beside it. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { FepError } from '@fep-moe/core'
import {
  disagreements,
  type Experiment,
  experiments,
  findExperiment,
  formatEstimate,
  type Results,
  type Run,
  type SummaryRow,
  textTable,
} from '@fep-moe/experiments'
import type { Command } from 'commander'
import { type BackendName, backendNames, openBackend } from '../backends.js'
import { describeEnvironment } from '../environment.js'
import { integerFlag, nameFlag, seedsFlag } from '../flags.js'
import { interruptible } from '../interrupt.js'
import { openOutput } from '../output.js'
import { runTasks } from '../pool.js'
import { startProgress } from '../progress.js'
import { STATUS } from '../status.js'

interface Flags {
  readonly backend?: BackendName
  readonly seeds?: readonly number[]
  readonly epochs?: number
  readonly out?: string
  readonly threads: number
  readonly workers?: number
  readonly quick?: boolean
  readonly check?: boolean
  readonly json?: boolean
  readonly list?: boolean
}

const FILE = 'results.json'

/** Adds the command. */
export function reproduceCommand(program: Command, finish: (status: number) => void): void {
  program
    .command('reproduce')
    .description('run a published table again and print ours beside it')
    .argument('[experiment]', `one of: ${experiments.map((e) => e.name).join(', ')}`)
    .option('--list', 'list the experiments')
    .option(
      '--backend <name>',
      `${backendNames.join(' or ')} (default: onnx where it has a binary)`,
      nameFlag('--backend', backendNames),
    )
    .option('--seeds <list>', 'seeds, separated by commas (default: the paper’s)', seedsFlag)
    .option('--epochs <n>', 'training epochs (default: the paper’s)', integerFlag('--epochs', 1, 1_000_000))
    .option('--out <folder>', 'output folder (default: ./fep-moe-results/EXPERIMENT)')
    .option('--threads <n>', 'threads of one run', integerFlag('--threads', 1, 256), 1)
    .option('--workers <n>', 'runs at a time (default: cores / threads)', integerFlag('--workers', 1, 1024))
    .option('--quick', 'one seed and a short training: shows that it works, not compared with the paper')
    .option('--check', 'exit with 1 where a row does not agree with the published one')
    .option('--json', 'print the results file on stdout and nothing else')
    .action(async (name: string | undefined, flags: Flags) => {
      if (flags.list) return list(flags.json ?? false)
      finish(await reproduce(name, flags))
    })
}

function list(json: boolean): void {
  const rows = experiments.map(({ name, title, source, conditions }) => ({ name, title, source, conditions }))
  const text = rows
    .map((r) => `${r.name}\n  ${r.title}\n  ${r.source}\n  ${r.conditions.join(', ')}`)
    .join('\n')
  process.stdout.write(`${json ? JSON.stringify(rows, null, 2) : text}\n`)
}

async function reproduce(name: string | undefined, flags: Flags): Promise<number> {
  const known = experiments.map((e) => e.name).join(', ')
  if (name === undefined) throw new FepError('FEP_USAGE', `name an experiment: ${known}`)
  const experiment = findExperiment(name)
  if (flags.quick && flags.check)
    throw new FepError(
      'FEP_USAGE',
      '--check cannot judge --quick: a short training is not compared with the paper',
    )
  const { backend, quick } = await chooseBackend(flags)
  const settings = experiment.settings({
    ...(flags.seeds ? { seeds: flags.seeds } : {}),
    ...(flags.epochs ? { epochs: flags.epochs } : {}),
    quick,
  })
  const output = openOutput(flags.out ?? join('fep-moe-results', experiment.name), [FILE])
  try {
    const runs = await train(experiment, settings, backend, flags)
    const summary = experiment.summarize(runs, settings)
    const results: Results = {
      schemaVersion: 1,
      environment: describeEnvironment(backend, flags.threads),
      settings: { ...settings },
      runs,
      summary,
    }
    const text = `${JSON.stringify(results, null, 2)}\n`
    const path = output.write(FILE, text)
    if (flags.json) process.stdout.write(text)
    else {
      const tables = experiment.report(summary, settings).map(textTable)
      process.stdout.write(
        `${experiment.title}\n${experiment.source}; ran on ${backend}\n\n${tables.join('\n\n')}\n\n`,
      )
    }
    const status = flags.check ? judge(summary) : STATUS.done
    // In JSON mode stdout holds the JSON alone.
    const last = flags.json ? process.stderr : process.stdout
    last.write(`results: ${path}\n`)
    return status
  } catch (error) {
    output.discard()
    throw error
  }
}

/** The backend asked for; else the first one, or a quick run as JavaScript where that one has no binary. */
async function chooseBackend({
  backend,
  quick = false,
  check,
  threads,
}: Flags): Promise<{ backend: BackendName; quick: boolean }> {
  try {
    // Opened once ahead of everything: a missing runtime must show before any work, and in this process.
    await (await openBackend(backend ?? 'onnx', { threads })).dispose()
    return { backend: backend ?? 'onnx', quick }
  } catch (error) {
    const missing = error instanceof FepError && error.code === 'FEP_BACKEND_MISSING'
    if (!missing || backend !== undefined || check) throw error
    process.stderr.write(
      `ONNX Runtime does not load on ${process.platform} ${process.arch}: running --quick on js\n`,
    )
    return { backend: 'js', quick: true }
  }
}

/** Trains every condition with every seed, the longest runs first; returns them in the table's order. */
async function train(
  experiment: Experiment,
  settings: ReturnType<Experiment['settings']>,
  backend: BackendName,
  { threads, workers = Math.max(1, Math.floor(availableParallelism() / threads)) }: Flags,
): Promise<Run[]> {
  const jobs = experiment.conditions.flatMap((condition) =>
    settings.seeds.map((seed) => ({ condition, seed })),
  )
  const longestFirst = jobs
    .map((job, place) => ({ job, place, cost: experiment.cost(job.condition) }))
    .sort((a, b) => b.cost - a.cost)
  return interruptible(async (signal) => {
    const progress = startProgress(longestFirst.map(({ cost }) => cost))
    signal.addEventListener('abort', () => progress.stop())
    try {
      const runs = await runTasks(
        longestFirst.map(({ job }) => ({ experiment: experiment.name, settings, job, backend, threads })),
        { workers, signal, onProgress: progress.update },
      )
      const inOrder: Run[] = []
      longestFirst.forEach(({ place }, i) => {
        inOrder[place] = runs[i] as Run
      })
      return inOrder
    } finally {
      progress.stop()
    }
  })
}

/** Names what does not agree, on stderr. */
function judge(summary: readonly SummaryRow[]): number {
  const wrong = disagreements(summary)
  const judged = summary.filter((row) => row.agrees !== null).length
  if (wrong.length === 0) {
    process.stderr.write(`check: all ${judged} published figures agree\n`)
    return STATUS.done
  }
  process.stderr.write(`check failed: ${wrong.length} of ${judged} published figures do not agree\n`)
  for (const { condition, metric, ours, published } of wrong)
    process.stderr.write(
      `  ${condition} ${metric}: ${formatEstimate(ours)}, published ${formatEstimate(published)}\n`,
    )
  return STATUS.failed
}

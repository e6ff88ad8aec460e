/** `fep-moe reproduce`: run published tables again and print ours beside them. */
import { FepError } from '@fep-moe/core'
import { experiments } from '@fep-moe/experiments'
import type { Command } from 'commander'
import { type BackendName, backendNames, openBackend } from '../backends.js'
import { openCache, type RunCache } from '../cache.js'
import { describeEnvironment } from '../environment.js'
import { integerFlag, nameFlag, seedsFlag } from '../flags.js'
import type { OutputFolder } from '../output.js'
import { checkAll } from '../reproduce/check.js'
import { type Part, type PlanFlags, planRuns } from '../reproduce/plan.js'
import {
  type Finished,
  openReports,
  openResults,
  openResultsAlone,
  terminalText,
  writeReports,
  writeResults,
} from '../reproduce/publish.js'
import { STATUS } from '../status.js'
import { trainAll } from '../train.js'

interface Flags extends PlanFlags {
  readonly backend?: BackendName
  readonly threads: number
  readonly workers?: number
  readonly json?: boolean
  readonly list?: boolean
  /** A folder; false: keep nothing. */
  readonly cache?: string | false
}

/** Adds the command. */
export function reproduceCommand(program: Command, finish: (status: number) => void): void {
  program
    .command('reproduce')
    .description('run published tables again and print ours beside them')
    .argument('[experiment]', `one of: ${experiments.map((e) => e.name).join(', ')}`)
    .option('--list', 'list the experiments')
    .option('--all', 'run the experiments, with as many seeds as fit into minutes, and write one report')
    .option('--full', 'with --all: every experiment with all its seeds, those that take long too')
    .option(
      '--backend <name>',
      `${backendNames.join(' or ')} (default: onnx where it has a binary)`,
      nameFlag('--backend', backendNames),
    )
    .option('--seeds <list>', 'seeds, separated by commas (default: the paper’s)', seedsFlag)
    .option('--epochs <n>', 'training epochs (default: the paper’s)', integerFlag('--epochs', 1, 1_000_000))
    .option(
      '--out <folder>',
      'output folder (default: ./fep-moe-results/EXPERIMENT; ./fep-moe-results with --all)',
    )
    .option('--threads <n>', 'threads of one run', integerFlag('--threads', 1, 256), 1)
    .option('--workers <n>', 'runs at a time (default: cores / threads)', integerFlag('--workers', 1, 1024))
    .option(
      '--cache <folder>',
      'where finished runs are kept (default: cache in the folder of --out, else ./fep-moe-results/cache)',
    )
    .option('--no-cache', 'keep no finished runs, and use none')
    .option('--quick', 'one seed and a short training: shows that it works, not compared with the paper')
    .option(
      '--check',
      'exit with 1 where a row does not agree with the published one, or where nothing was published a claim with its recorded verdict',
    )
    .option('--json', 'print the results file on stdout and nothing else; with --all a list of them')
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
  // What contradicts itself is told ahead of what is not installed.
  planRuns(name, flags)
  const { backend, quick } = await chooseBackend(flags)
  const plan = planRuns(name, { ...flags, quick })
  const opened: { discard(): void }[] = []
  try {
    const open = (folder: string, make: (folder: string) => OutputFolder) => {
      const output = make(folder)
      opened.unshift(output)
      return output
    }
    const over = plan.folder === null ? null : open(plan.folder, openReports)
    const outputs = plan.parts.map(({ folder }) => open(folder, over ? openResultsAlone : openResults))
    const cache: RunCache | null = flags.cache === false ? null : openCache(flags.cache ?? plan.cache)
    if (cache) opened.unshift(cache)
    const { threads, workers } = flags
    // Ahead of the runs: the checkout may change while they go on.
    const environment = describeEnvironment(backend, threads)
    const finished: Finished[] = []
    await trainAll(plan.parts, {
      backend,
      threads,
      cache,
      ...(workers ? { workers } : {}),
      onPart: (index, runs, { print }) => {
        const done = writeResults(
          plan.parts[index] as Part,
          runs,
          environment,
          outputs[index] as OutputFolder,
        )
        finished[index] = done
        if (!flags.json) print(terminalText(done.report))
      },
    })
    const page = await writeReports(
      finished.map(({ report }) => report),
      over ?? (outputs[0] as OutputFolder),
    )
    const texts = finished.map(({ text }) => text)
    if (flags.json) process.stdout.write(over ? `[${texts.join(',')}]\n` : texts.join(''))
    for (const left of plan.leftOut)
      process.stderr.write(`${left}: left out, it takes long; name it (reproduce ${left}), or add --full\n`)
    const status = flags.check ? checkAll(finished) : STATUS.done
    // In JSON mode stdout holds the JSON alone.
    const last = flags.json ? process.stderr : process.stdout
    const paths = finished.map(({ path }) => `results: ${path}\n`).join('')
    last.write(`${paths}report: ${page}\n`)
    return status
  } catch (error) {
    for (const one of opened) one.discard()
    throw error
  }
}

/** The backend asked for; else the first one, or a quick run as JavaScript where that one has no binary. */
async function chooseBackend({
  backend,
  quick = false,
  full,
  check,
  threads,
}: Flags): Promise<{ backend: BackendName; quick: boolean }> {
  try {
    // Opened once ahead of everything: a missing runtime must show before any work, and in this process.
    await (await openBackend(backend ?? 'onnx', { threads })).dispose()
    return { backend: backend ?? 'onnx', quick }
  } catch (error) {
    const missing = error instanceof FepError && error.code === 'FEP_BACKEND_MISSING'
    if (!missing || backend !== undefined || check || full) throw error
    process.stderr.write(
      `ONNX Runtime does not load on ${process.platform} ${process.arch}: running --quick on js\n`,
    )
    return { backend: 'js', quick: true }
  }
}

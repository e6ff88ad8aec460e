/** `fep-moe reproduce`: run a published table again and print ours beside it. */
import { join } from 'node:path'
import { FepError } from '@fep-moe/core'
import {
  disagreements,
  experiments,
  findExperiment,
  formatEstimate,
  type Results,
  type SummaryRow,
  textTable,
} from '@fep-moe/experiments'
import { htmlReport, makeReport, markdownReport, readClaims } from '@fep-moe/experiments/report'
import type { Command } from 'commander'
import { type BackendName, backendNames, openBackend } from '../backends.js'
import { openCache, type RunCache } from '../cache.js'
import { describeEnvironment } from '../environment.js'
import { integerFlag, nameFlag, seedsFlag } from '../flags.js'
import { openOutput } from '../output.js'
import { REPORT_FILES, RESULTS_FILE, RESULTS_FOLDER } from '../results-folder.js'
import { STATUS } from '../status.js'
import { trainAll } from '../train.js'

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
  /** A folder; false: keep nothing. */
  readonly cache?: string | false
}

const FILES = { results: RESULTS_FILE, ...REPORT_FILES } as const

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
    .option('--cache <folder>', 'where finished runs are kept (default: cache in the output folder)')
    .option('--no-cache', 'keep no finished runs, and use none')
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
  const folder = flags.out ?? join(RESULTS_FOLDER, experiment.name)
  const output = openOutput(folder, Object.values(FILES))
  let cache: RunCache | null = null
  try {
    if (flags.cache !== false) cache = openCache(flags.cache ?? join(folder, 'cache'))
    const { threads, workers } = flags
    // Ahead of the runs: the checkout may change while they go on.
    const environment = describeEnvironment(backend, threads)
    const runs = await trainAll(experiment, settings, {
      backend,
      threads,
      cache,
      ...(workers ? { workers } : {}),
    })
    const summary = experiment.summarize(runs, settings)
    const results: Results = {
      schemaVersion: 2,
      experiment: experiment.name,
      environment,
      settings: { ...settings },
      runs,
      summary,
      bounds: experiment.bounds(settings),
    }
    const text = readableJson(results)
    const path = output.write(FILES.results, text)
    const report = makeReport(results, readClaims())
    if (flags.json) process.stdout.write(text)
    else
      process.stdout.write(
        `${experiment.title}\n${experiment.source}; ran on ${backend}\n\n${report.tables.map(textTable).join('\n\n')}\n\n`,
      )
    const html = output.write(FILES.html, await htmlReport([report]))
    output.write(FILES.markdown, markdownReport([report]))
    const status = flags.check ? judge(summary) : STATUS.done
    // In JSON mode stdout holds the JSON alone.
    const last = flags.json ? process.stderr : process.stdout
    last.write(`results: ${path}\nreport: ${html}\n`)
    return status
  } catch (error) {
    cache?.discard()
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

/** Indented JSON with every list of numbers on one line. */
const readableJson = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(/\[\n\s+(-?\d[^[\]{}"]*?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`

/** Names what does not agree, on stderr. */
function judge(summary: readonly SummaryRow[]): number {
  const wrong = disagreements(summary)
  const judged = summary.filter((row) => row.agreement !== null).length
  if (wrong.length === 0) {
    const open = summary.filter((row) => row.agreement === 'not decidable').length
    const rest = open > 0 ? `; ${open} cannot be decided from so few runs` : ''
    process.stderr.write(`check: all ${judged - open} published figures agree${rest}\n`)
    return STATUS.done
  }
  process.stderr.write(`check failed: ${wrong.length} of ${judged} published figures do not agree\n`)
  for (const { condition, metric, ours, published } of wrong)
    process.stderr.write(
      `  ${condition} ${metric}: ${formatEstimate(ours)}, published ${formatEstimate(published)}\n`,
    )
  return STATUS.failed
}

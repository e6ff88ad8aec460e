/** `fep-moe conformance`: the suite that every backend must pass, without a test runner. */
import type { CaseResult, FuzzReport, LaneSummary, MissingLane, Report } from '@fep-moe/conformance'
import { FepError } from '@fep-moe/core'
import type { Command } from 'commander'
import { backendNames, executorNames, openNamedOrModule } from '../backends.js'
import { integerFlag, namesFlag } from '../flags.js'
import { STATUS } from '../status.js'

interface Flags {
  readonly backend?: string
  readonly group?: string
  readonly threads: number
  readonly json?: boolean
  readonly markdown?: boolean
  readonly fuzz?: number
  readonly seed?: number
}

const SEED = 1

/** Adds the command. */
export function conformanceCommand(program: Command, finish: (status: number) => void): void {
  program
    .command('conformance')
    .description('run the conformance suite: a line per case with id, status, largest error, tolerance')
    .option(
      '--backend <name>',
      `${backendNames.join(', ')}, or a module that exports createBackend, such as ./my-backend.js (default: onnx)`,
    )
    .option('--group <list>', 'groups of cases, separated by commas (default: all)')
    .option('--threads <n>', 'threads of the backend', integerFlag('--threads', 1, 256), 1)
    .option(
      '--fuzz <n>',
      'random graphs and gates against the float64 reference instead of the suite',
      integerFlag('--fuzz', 1, 100_000_000),
    )
    .option(
      '--seed <n>',
      `seed of the random graphs (default: ${SEED})`,
      integerFlag('--seed', 0, 2 ** 31 - 1),
    )
    .option('--markdown', 'print the matrix as Markdown; without --backend, of every executor that runs here')
    .option('--json', 'print the report as JSON on stdout and nothing else')
    .action(async (flags: Flags) => {
      finish((await run(flags)) ? STATUS.done : STATUS.failed)
    })
}

/** @returns whether everything passed */
async function run(flags: Flags): Promise<boolean> {
  const { backend = 'onnx', group, json, markdown } = flags
  for (const [other, given] of [
    ['--fuzz', flags.fuzz],
    ['--json', json],
  ])
    if (markdown && given !== undefined)
      throw new FepError('FEP_USAGE', `--markdown does not go with ${other}`)
  if (flags.seed !== undefined && flags.fuzz === undefined)
    throw new FepError('FEP_USAGE', '--seed belongs to --fuzz: the suite has its own seeds')
  if (flags.fuzz !== undefined) {
    if (group !== undefined) throw new FepError('FEP_USAGE', '--group does not go with --fuzz')
    return fuzzed(backend, flags.fuzz, flags)
  }
  // On demand: the suite takes longer to load than all other commands together.
  const { GROUPS } = await import('@fep-moe/conformance')
  const groups = group === undefined ? undefined : namesFlag('--group', GROUPS)(group)
  const settings = { ...(groups ? { groups } : {}) }
  if (markdown) return page(flags.backend === undefined ? executorNames : [flags.backend], flags, settings)
  const report = await suite(backend, flags, settings, (text) => {
    if (!json) process.stdout.write(text)
  })
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : total(report)}\n`)
  return report.ok
}

async function suite(
  backend: string,
  { threads }: Flags,
  settings: object,
  print: (text: string) => unknown,
): Promise<Report> {
  const { isBroken, runConformance } = await import('@fep-moe/conformance')
  return runConformance({
    backend: () => openNamedOrModule(backend, { threads, alone: true }),
    ...settings,
    onResult: (result) => print(`${line(result, isBroken(result))}\n`),
  })
}

/** The matrix on stdout; on stderr what runs, and what failed. */
async function page(names: readonly string[], flags: Flags, settings: object): Promise<boolean> {
  const { conformancePage, isBroken, laneSummary } = await import('@fep-moe/conformance')
  const lanes: LaneSummary[] = []
  const missing: MissingLane[] = []
  let ok = true
  for (const name of names) {
    try {
      process.stderr.write(`${name}…\n`)
      const report = await suite(name, flags, settings, () => undefined)
      lanes.push(laneSummary(name, report))
      for (const result of report.results.filter(isBroken)) process.stderr.write(`${line(result, true)}\n`)
      ok &&= report.ok
    } catch (error) {
      if (!(error instanceof FepError && error.code === 'FEP_BACKEND_MISSING') || names.length === 1)
        throw error
      missing.push({ lane: name, reason: error.message })
    }
  }
  process.stdout.write(`${conformancePage({ lanes, missing })}\n`)
  return ok
}

async function fuzzed(name: string, graphs: number, { threads, seed = SEED, json }: Flags): Promise<boolean> {
  const { fuzz } = await import('@fep-moe/conformance')
  const backend = await openNamedOrModule(name, { threads, alone: true })
  try {
    const report: FuzzReport = await fuzz({
      backend,
      graphs,
      seed,
      // A native runtime that ends the process leaves at least how far it came.
      onProgress: (done, { failed, fragile }) => {
        if (done % 500 === 0)
          process.stderr.write(`${done} of ${graphs}: ${failed} failed, ${fragile} fragile\n`)
      },
    })
    const { failed, fragile, failures, decisions } = report
    for (const { index, message, counterexample } of failures)
      process.stderr.write(`\ngraph ${index} of seed ${seed} failed: ${message}\n${counterexample}\n`)
    if (json) for (const decision of decisions) process.stdout.write(`${JSON.stringify(decision)}\n`)
    const summary = { graphs: report.graphs, failed, fragile }
    process.stdout.write(
      json
        ? `${JSON.stringify(summary)}\n`
        : `${backend.name}: ${report.graphs} graphs, ${failed} failed, ${fragile} fragile (seed ${seed})\n`,
    )
    return failed === 0
  } finally {
    await backend.dispose()
  }
}

function line(result: CaseResult, broken: boolean): string {
  const number = (value: number | null) => (value === null ? '-' : value.toExponential(2)).padStart(9)
  const { id, status, error, tolerance, message } = result
  const figures = `${number(error)} ${number(tolerance)}`
  return `${id.padEnd(60)} ${status.padEnd(16)} ${figures}${broken ? `  ${message}` : ''}`
}

function total({ backend, counts, ok }: Report): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  return `${backend}: ${parts.map(([status, count]) => `${count} ${status}`).join(', ')}${ok ? '' : ' (NOT conformant)'}`
}

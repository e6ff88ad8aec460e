/** `fep-moe conformance`: the suite that every backend must pass, without a test runner. */
import type { CaseResult, Report } from '@fep-moe/conformance'
import type { Command } from 'commander'
import { type BackendName, backendNames, openBackend } from '../backends.js'
import { integerFlag, nameFlag, namesFlag } from '../flags.js'
import { STATUS } from '../status.js'

interface Flags {
  readonly backend: BackendName
  readonly group?: string
  readonly threads: number
  readonly json?: boolean
}

/** Adds the command. */
export function conformanceCommand(program: Command, finish: (status: number) => void): void {
  program
    .command('conformance')
    .description('run the conformance suite: a line per case with id, status, largest error, tolerance')
    .option('--backend <name>', backendNames.join(' or '), nameFlag('--backend', backendNames), 'onnx')
    .option('--group <list>', 'groups of cases, separated by commas (default: all)')
    .option('--threads <n>', 'threads of the backend', integerFlag('--threads', 1, 256), 1)
    .option('--json', 'print the report as JSON on stdout and nothing else')
    .action(async ({ backend, group, threads, json }: Flags) => {
      // On demand: the suite takes longer to load than all other commands together.
      const { GROUPS, isBroken, runConformance } = await import('@fep-moe/conformance')
      const groups = group === undefined ? undefined : namesFlag('--group', GROUPS)(group)
      const report = await runConformance({
        backend: () => openBackend(backend, { threads }),
        ...(groups ? { groups } : {}),
        onResult: (result) => {
          if (!json) process.stdout.write(`${line(result, isBroken(result))}\n`)
        },
      })
      process.stdout.write(`${json ? JSON.stringify(report, null, 2) : total(report)}\n`)
      finish(report.ok ? STATUS.done : STATUS.failed)
    })
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

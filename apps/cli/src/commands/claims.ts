/** `fep-moe claims`: what the papers say, with a verdict from our own results. */
import { existsSync } from 'node:fs'
import { experiments, type JudgedClaim, judgeClaims } from '@fep-moe/experiments'
import { countVerdicts, readClaims } from '@fep-moe/experiments/report'
import type { Command } from 'commander'
import { findResults, RESULTS_FOLDER } from '../results-folder.js'
import { STATUS } from '../status.js'

interface Flags {
  readonly out?: string
  readonly json?: boolean
}

/** Adds the command. */
export function claimsCommand(program: Command, finish: (status: number) => void): void {
  program
    .command('claims')
    .description('list the papers’ claims with verdicts from the results here')
    .option('--out <folder>', `results, or a folder of them (default: ./${RESULTS_FOLDER})`)
    .option('--json', 'print them as JSON')
    .action((flags: Flags) => finish(claims(flags)))
}

function claims({ out, json }: Flags): number {
  // Nothing to read is an answer where nobody named a folder: then nothing was tested.
  const results =
    out === undefined && !existsSync(RESULTS_FOLDER) ? new Map() : findResults(out ?? RESULTS_FOLDER)
  const judged = readClaims().flatMap((file) => {
    const metrics = experiments.find(({ name }) => name === file.experiment)?.metrics
    return judgeClaims(file, results.get(file.experiment) ?? null, metrics)
  })
  process.stdout.write(json ? `${JSON.stringify(judged, null, 2)}\n` : text(judged))
  const lacking = judged.filter(({ verdict }) => verdict === null)
  for (const { id, sentence } of lacking) process.stderr.write(`no verdict: ${id}. ${sentence}\n`)
  return lacking.length > 0 ? STATUS.failed : STATUS.done
}

function text(judged: readonly JudgedClaim[]): string {
  const lines: string[] = []
  for (const name of new Set(judged.map(({ experiment }) => experiment))) {
    const own = judged.filter(({ experiment }) => experiment === name)
    lines.push(`${name}: ${countVerdicts(own)}`, '')
    for (const claim of own) lines.push(...describe(claim), '')
  }
  return `${lines.join('\n')}\n${countVerdicts(judged)}\n`
}

function describe({ id, section, statement, verdict, recorded, sentence, checks }: JudgedClaim): string[] {
  const tested = verdict !== 'not tested' && verdict !== null
  const changed = tested && verdict !== recorded ? ` (recorded: ${recorded})` : ''
  return [
    `${verdict ?? 'no verdict'}${changed}: ${statement}`,
    `  ${id}; ${section}`,
    `  ${sentence}`,
    ...checks.map((check) => `    ${check.text}`),
  ]
}

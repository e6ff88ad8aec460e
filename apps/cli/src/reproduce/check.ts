/** `--check`: finished experiments against published figures, and where nothing was published against verdicts on record. */
import { disagreements, formatEstimate } from '@fep-moe/experiments'
import { STATUS } from '../status.js'
import type { Finished } from './publish.js'

/** What was held against something, and a line for each that does not agree. */
interface Outcome {
  readonly what: string
  readonly judged: number
  readonly open: number
  readonly wrong: readonly string[]
}

/** Names on stderr what does not agree. A check that has nothing to compare fails. @returns the exit status */
export function checkAll(finished: readonly Finished[]): number {
  const outcomes = [figuresOf(finished), verdictsOf(finished)].filter(({ judged }) => judged > 0)
  const wrong = outcomes.some((outcome) => outcome.wrong.length > 0)
  for (const outcome of outcomes) process.stderr.write(describe(outcome))
  if (outcomes.length === 0)
    process.stderr.write(
      'check failed: no figure of it was published, and no claim has a verdict on record\n',
    )
  return wrong || outcomes.length === 0 ? STATUS.failed : STATUS.done
}

function figuresOf(finished: readonly Finished[]): Outcome {
  const rows = finished.flatMap(({ results: { experiment, summary } }) =>
    summary.map((row) => ({
      row,
      name: finished.length > 1 ? `${experiment} ${row.condition}` : row.condition,
    })),
  )
  return {
    what: 'published figures',
    judged: rows.filter(({ row }) => row.agreement !== null).length,
    open: rows.filter(({ row }) => row.agreement === 'not decidable').length,
    wrong: rows
      .filter(({ row }) => disagreements([row]).length > 0)
      .map(
        ({ name, row }) =>
          `${name} ${row.metric}: ${formatEstimate(row.ours)}, published ${formatEstimate(row.published)}`,
      ),
  }
}

/** Verdicts of experiments without a published figure: elsewhere claims are about the figures that were judged already. */
function verdictsOf(finished: readonly Finished[]): Outcome {
  const claims = finished
    .filter(({ results }) => results.summary.every(({ agreement }) => agreement === null))
    .flatMap(({ report }) => report.claims)
    .filter(({ recorded, verdict }) => recorded !== 'not tested' && verdict !== 'not tested')
  return {
    what: 'verdicts on record',
    judged: claims.length,
    open: claims.filter(({ verdict }) => verdict === 'not decidable').length,
    wrong: claims
      .filter(({ verdict, recorded }) => verdict !== recorded && verdict !== 'not decidable')
      .map(
        ({ id, verdict, recorded, sentence }) =>
          `${id}: ${verdict ?? 'no verdict'}, on record ${recorded}. ${sentence}`,
      ),
  }
}

function describe({ what, judged, open, wrong }: Outcome): string {
  const rest = open > 0 ? `; ${open} cannot be decided from so few runs` : ''
  return wrong.length === 0
    ? `check: all ${judged - open} ${what} agree${rest}\n`
    : `check failed: ${wrong.length} of ${judged} ${what} do not agree\n${wrong.map((line) => `  ${line}\n`).join('')}`
}

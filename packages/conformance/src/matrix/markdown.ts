/** The matrix as Markdown: executor × group of cases, and what each executor declares. */
import { GROUPS, type Group } from '../frame/case.js'
import type { Counts, Status } from '../frame/result.js'
import type { LaneSummary } from './lane.js'

/** A lane that did not run, and why. */
export interface MissingLane {
  readonly lane: string
  readonly reason: string
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(columns), row(columns.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(row)].join('\n')

const WORDS: Readonly<Record<Status, string>> = {
  passed: 'passed',
  failed: '**failed**',
  'expected-failure': 'expected failure',
  'unexpected-pass': '**unexpected pass**',
  'unsupported-negative': 'refused as declared',
}

/** `344`, or `340 passed, 4 refused as declared`. */
function cell(counts: Counts | undefined): string {
  if (!counts) return '**not run**'
  const parts = (Object.keys(WORDS) as Status[]).filter((status) => counts[status] > 0)
  if (parts.length === 1 && parts[0] === 'passed') return `${counts.passed}`
  return parts.map((status) => `${counts[status]} ${WORDS[status]}`).join(', ') || '**not run**'
}

/** Executors down, groups of cases across; a bare number is that many cases, all passed. */
export function matrixTable(lanes: readonly LaneSummary[]): string {
  const groups = GROUPS.filter((group) => lanes.some((lane) => lane.groups[group]))
  return table(
    ['executor', ...groups],
    lanes.map((lane) => [lane.lane, ...groups.map((group: Group) => cell(lane.groups[group]))]),
  )
}

/** What every executor declares of itself. */
export function capabilitiesTable(lanes: readonly LaneSummary[]): string {
  const yes = (flag: boolean) => (flag ? 'yes' : 'no')
  return table(
    ['executor', 'device', 'arithmetic', 'synchronous', 'any batch size at once', 'native composites'],
    lanes.map(({ lane, capabilities: c }) => [
      lane,
      c.device,
      c.precision,
      yes(c.sync),
      yes(c.symbolicBatch),
      c.composites.join(', ') || 'none',
    ]),
  )
}

/** Declared errors beyond rounding, and what NaN and infinity do, executor by executor. */
export function declarations(lanes: readonly LaneSummary[]): string {
  return lanes
    .map(({ lane, capabilities: { accuracy, nonFinite, unsupported } }) => {
      const lines = [
        `NaN and infinity: ${nonFinite.policy === 'ieee' ? 'as IEEE 754 and the reference have them' : 'undefined'}.`,
        ...Object.entries(nonFinite.except).map(([op, how]) => `${op} with a non-finite operand: ${how}.`),
        ...Object.entries(accuracy).map(([op, { ulp, absolute, source }]) => {
          const bounds = [
            ...(ulp === undefined ? [] : [`${ulp} ulp`]),
            ...(absolute === undefined ? [] : [`${absolute} absolute`]),
          ]
          return `${op} is off by up to ${bounds.join(' or ')} (${source}).`
        }),
        ...(unsupported.length > 0 ? [`Refuses ${unsupported.join(', ')}.`] : []),
      ]
      return `- **${lane}**\n${lines.map((line) => `  - ${line}`).join('\n')}`
    })
    .join('\n')
}

/** Known failures with their reasons; a sentence where there are none. */
export function expectedFailuresList(lanes: readonly LaneSummary[]): string {
  const known = lanes.flatMap(({ lane, expectedFailures }) =>
    expectedFailures.map(({ id, reason, link }) => `- ${lane}: \`${id}\`: ${reason} (${link})`),
  )
  return known.join('\n') || 'None: every executor passes, or refuses as it declares, every case.'
}

/** Lanes that did not run here; empty text where all did. */
export const missingList = (missing: readonly MissingLane[]): string =>
  missing.map(({ lane, reason }) => `- ${lane} did not run here: ${reason}`).join('\n')

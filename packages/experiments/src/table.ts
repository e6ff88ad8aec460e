/** Tables as data, and as text: plain for a terminal, Markdown for a document. */
import type { SummaryRow } from './results.js'
import type { Estimate } from './statistics.js'

/** A table of ready-made cells. */
export interface Table {
  readonly title: string
  /** Headings; the first column is aligned left, the others right. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Lines below the table. */
  readonly notes?: readonly string[]
}

/** A mean with its spread, `0.748±0.002`; `+0.741±0.002` where signed; empty for null. */
export function formatEstimate(e: Estimate | null, { signed = false, digits = 3 } = {}): string {
  if (e === null) return ''
  const mean = e.mean.toFixed(digits)
  const sign = signed && !mean.startsWith('-') ? '+' : ''
  return `${sign}${mean}${e.std === null ? '' : `±${e.std.toFixed(digits)}`}`
}

/** What the last column says of the rows behind a line: `yes`, `NO`, why nothing can be said, or nothing. */
export function agreementCell(rows: readonly (SummaryRow | undefined)[]): string {
  const judged = rows.filter((row) => row && row.agreement !== null) as SummaryRow[]
  if (judged.some((row) => row.agreement === 'differs')) return 'NO'
  const open = judged.find((row) => row.agreement === 'not decidable')
  if (open) return `not decidable at n = ${open.ours.n}`
  if (judged.length === 0) return ''
  return judged.some((row) => row.published?.n === 1) ? 'yes (one run)' : 'yes'
}

/** Aligned columns for a terminal, without a trailing line break. */
export function textTable({ title, columns, rows, notes = [] }: Table): string {
  const widths = columns.map((heading, i) =>
    Math.max(heading.length, ...rows.map((r) => (r[i] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    widths
      .map((width, i) => (i === 0 ? (cells[i] ?? '').padEnd(width) : (cells[i] ?? '').padStart(width)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [title, line(columns), rule, ...rows.map(line), ...notes].join('\n')
}

/** The same as a Markdown table, title in bold. */
export function markdownTable({ title, columns, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]) => `| ${columns.map((_, i) => cells[i] ?? '').join(' | ')} |`
  const rule = columns.map((_, i) => (i === 0 ? '---' : '---:'))
  return [
    `**${title}**`,
    '',
    line(columns),
    line(rule),
    ...rows.map(line),
    ...notes.flatMap((n) => ['', n]),
  ].join('\n')
}

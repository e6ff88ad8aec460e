/** The report as Markdown: what `report.html` shows, without the pictures. */
import type { JudgedClaim } from '../claims/judge.js'
import { markdownTable } from '../table.js'
import { countVerdicts, environmentLines, type Report } from './report.js'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const upper = (text: string) => `${text[0]?.toUpperCase()}${text.slice(1)}`

/** Writes reports. */
export function markdownReport(reports: readonly Report[]): string {
  return `${['# fep-moe: the papers’ figures beside ours', ...reports.flatMap(section)].join('\n\n')}\n`
}

/** A summary of claims for a README: how many hold, and those that do not, in one line each. */
export function claimsSummary(claims: readonly JudgedClaim[]): string {
  const list = claims
    .filter(({ verdict }) => verdict !== 'holds' && verdict !== 'not tested')
    .map(
      ({ verdict, statement, sentence }) =>
        `- ${statement} **${upper(verdict ?? 'no verdict')}.** ${sentence}`,
    )
  return [`Of ${claims.length} claims about it, ${countVerdicts(claims)}:`, '', ...list].join('\n')
}

function section({ title, source, results, tables, claims, figures }: Report): string[] {
  const verdicts = claims.map(
    ({ verdict, section, statement, sentence }) =>
      `| ${[verdict ?? 'no verdict', section, statement, sentence].map(cell).join(' | ')} |`,
  )
  return [
    `## ${title}`,
    source,
    ...tables.map((table) => markdownTable(table)),
    ...(claims.length > 0
      ? [
          '### Claims',
          `${countVerdicts(claims)}.`,
          ['| verdict | where | claim | why |', '| --- | --- | --- | --- |', ...verdicts].join('\n'),
        ]
      : []),
    ...(figures.length > 0
      ? [
          '### Figures',
          figures.map((figure) => `- **${figure.title}** (in report.html). ${figure.caption}`).join('\n'),
        ]
      : []),
    '### Environment',
    environmentLines(results)
      .map(([label, text]) => `- ${label}: ${text}`)
      .join('\n'),
  ]
}

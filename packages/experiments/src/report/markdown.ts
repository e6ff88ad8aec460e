/** The report as Markdown: what `report.html` shows, without the pictures. */
import { markdownTable } from '../table.js'
import { countVerdicts, environmentLines, type Report } from './report.js'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** Writes reports. */
export function markdownReport(reports: readonly Report[]): string {
  return `${['# fep-moe: the papers’ figures beside ours', ...reports.flatMap(section)].join('\n\n')}\n`
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
    '### Figures',
    figures.map((figure) => `- **${figure.title}** (in report.html). ${figure.caption}`).join('\n'),
    '### Environment',
    environmentLines(results)
      .map(([label, text]) => `- ${label}: ${text}`)
      .join('\n'),
  ]
}

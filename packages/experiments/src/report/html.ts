/** The report as one page: no script, no outside reference; what it shows it holds. */
import type { JudgedClaim } from '../claims/judge.js'
import type { Figure } from '../figure.js'
import type { Table } from '../table.js'
import { figureSvgs } from './charts.js'
import { countVerdicts, environmentLines, type Report } from './report.js'
import { style } from './style.js'

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text as HTML. */
const html = (text: string): string => text.replace(/[&<>"]/g, (c) => ENTITIES[c] as string)

/** Writes reports into one page. */
export async function htmlReport(reports: readonly Report[]): Promise<string> {
  const sections: string[] = []
  for (const report of reports) sections.push(await section(report))
  const contents = reports.length > 1 ? `<nav><ul>${reports.map(link).join('')}</ul></nav>` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fep-moe: ${html(reports.map(({ name }) => name).join(', '))}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>The papers’ figures beside ours</h1>
<p class="soft">Made by fep-moe. Accuracy is argmax accuracy, gate mass the mean softmax weight on the right expert; neither stands for the other.</p>
${contents}
${sections.join('\n')}
</main>
</body>
</html>
`
}

const link = ({ name, title, claims }: Report) =>
  `<li><a href="#${html(name)}">${html(title)}</a>: ${html(countVerdicts(claims))}</li>`

async function section({ name, title, source, results, tables, figures, claims }: Report): Promise<string> {
  const drawn: string[] = []
  for (const figure of figures) drawn.push(await figureHtml(figure))
  return `<section id="${html(name)}">
<h2>${html(title)}</h2>
<p class="soft">${html(source)}</p>
${claims.length > 0 ? `<p><a href="#${html(name)}-claims">Claims</a>: ${html(countVerdicts(claims))}.</p>` : ''}
${tables.map(tableHtml).join('\n')}
${drawn.length > 0 ? `<h3>Figures</h3>\n${drawn.join('\n')}` : ''}
${claims.length > 0 ? `<h3 id="${html(name)}-claims">Claims</h3>\n<ul class="claims">${claims.map(claimHtml).join('\n')}</ul>` : ''}
<h3>Environment</h3>
<dl>${environmentLines(results)
    .map(([label, text]) => `<dt>${html(label)}</dt><dd>${html(text)}</dd>`)
    .join('')}</dl>
</section>`
}

function tableHtml({ title, columns, rows, notes = [] }: Table): string {
  const cell = (text: string) => {
    const tone = text === 'NO' ? ' class="no"' : text.startsWith('yes') ? ' class="yes"' : ''
    return `<td${tone}>${html(text)}</td>`
  }
  const line = (row: readonly string[]) =>
    `<tr><th scope="row">${html(row[0] ?? '')}</th>${columns
      .slice(1)
      .map((_, i) => cell(row[i + 1] ?? ''))
      .join('')}</tr>`
  const heads = columns.map((heading) => `<th scope="col">${html(heading)}</th>`).join('')
  return `<div class="scroll" tabindex="0" role="region" aria-label="${html(title)}"><table class="data"><caption>${html(title)}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>${rows.map(line).join('\n')}</tbody></table></div>
${notes.map((note) => `<p class="soft">${html(note)}</p>`).join('\n')}`
}

async function figureHtml(figure: Figure): Promise<string> {
  const { panels, legend } = await figureSvgs(figure)
  const samples = legend.map(({ title, svg }) => `<li>${svg}${html(title)}</li>`).join('')
  const drawn = panels.map(({ title, svg, narrow }) => {
    const both = narrow ? `<div class="wide">${svg}</div><div class="narrow">${narrow}</div>` : svg
    return `<div>${title ? `<h4>${html(title)}</h4>` : ''}${both}</div>`
  })
  return `<figure id="${html(figure.id)}">
<h3>${html(figure.title)}</h3>
<ul class="legend">${samples}</ul>
<div class="panels">${drawn.join('\n')}</div>
<figcaption>${html(figure.caption)}</figcaption>
<details><summary>The same as numbers</summary>${figure.panels.map((panel) => numbersHtml(figure, panel)).join('')}</details>
</figure>`
}

function numbersHtml({ x }: Figure, { title, series }: Figure['panels'][number]): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map((p) => p.x)))].sort((a, b) => a - b)
  return tableHtml({
    title,
    columns: [x.label, ...series.map(({ name }) => name)],
    rows: xs.map((at) => [
      String(at),
      ...series.map(({ points }) => points.find((p) => p.x === at)?.y.toFixed(3) ?? ''),
    ]),
  })
}

function claimHtml({ verdict, section, statement, sentence, checks }: JudgedClaim): string {
  const tones: Readonly<Record<string, [string, string]>> = {
    holds: ['holds', '✓'],
    'holds for accuracy only': ['accuracy', '◐'],
    differs: ['differs', '✗'],
  }
  const [tone, sign] = tones[verdict ?? ''] ?? ['open', '○']
  const found = checks.map(({ text }) => `<li>${html(text)}</li>`).join('')
  return `<li><div class="verdict ${tone}"><span aria-hidden="true">${sign}</span> ${html(verdict ?? 'no verdict')}</div>
<div><p>${html(statement)} <span class="soft">(${html(section)})</span></p><p class="soft">${html(sentence)}</p>${
    found ? `<details><summary>What was compared</summary><ul>${found}</ul></details>` : ''
  }</div></li>`
}

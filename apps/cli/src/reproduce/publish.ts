/** What becomes of finished runs: results, tables, reports. */
import { type Environment, type Results, type Run, textTable } from '@fep-moe/experiments'
import { htmlReport, makeReport, markdownReport, type Report, readClaims } from '@fep-moe/experiments/report'
import { type OutputFolder, openOutput } from '../output.js'
import { REPORT_FILES, RESULTS_FILE } from '../results-folder.js'
import type { Part } from './plan.js'

/** The folder of one experiment whose report goes elsewhere. @throws FEP_IO where it cannot be written */
export const openResultsAlone = (folder: string): OutputFolder => openOutput(folder, [RESULTS_FILE])

/** The folder of one experiment and its report. @throws FEP_IO where it cannot be written */
export const openResults = (folder: string): OutputFolder =>
  openOutput(folder, [RESULTS_FILE, ...Object.values(REPORT_FILES)])

/** The folder of a report over several. @throws FEP_IO where it cannot be written */
export const openReports = (folder: string): OutputFolder => openOutput(folder, Object.values(REPORT_FILES))

/** One experiment, finished. */
export interface Finished {
  readonly results: Results
  readonly report: Report
  /** The results file: its path and what it holds. */
  readonly path: string
  readonly text: string
}

/** Writes the results of an experiment. */
export function writeResults(
  { experiment, settings }: Part,
  runs: readonly Run[],
  environment: Environment,
  output: OutputFolder,
): Finished {
  const results: Results = {
    schemaVersion: 2,
    experiment: experiment.name,
    environment,
    settings: { ...settings },
    runs,
    summary: experiment.summarize(runs, settings),
    bounds: experiment.bounds(settings),
  }
  const text = readableJson(results)
  return { results, report: makeReport(results, readClaims()), path: output.write(RESULTS_FILE, text), text }
}

/** Writes both forms of a report. @returns the path of the page */
export async function writeReports(reports: readonly Report[], output: OutputFolder): Promise<string> {
  const html = output.write(REPORT_FILES.html, await htmlReport(reports))
  output.write(REPORT_FILES.markdown, markdownReport(reports))
  return html
}

/** Title, source and tables of an experiment, for a terminal. */
export const terminalText = ({ title, source, tables, results }: Report): string =>
  `${title}\n${source}; ran on ${results.runs[0]?.backend}\n\n${tables.map(textTable).join('\n\n')}\n\n`

/** Indented JSON with every list of numbers on one line. */
const readableJson = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(/\[\n\s+(-?\d[^[\]{}"]*?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`

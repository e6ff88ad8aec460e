/** Results that were written before. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FepError } from '@fep-moe/core'
import { parseResults, type Results } from '@fep-moe/experiments'

/** Name of the file. */
export const RESULTS_FILE = 'results.json'

/** Names of the reports that are written beside it. */
export const REPORT_FILES = { html: 'report.html', markdown: 'report.md' } as const

/** Where results go unless a flag says otherwise. */
export const RESULTS_FOLDER = 'fep-moe-results'

/** Reads one file. @throws FEP_IO, FEP_BAD_ARGUMENT naming file and field */
export function readResults(path: string): Results {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new FepError('FEP_IO', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new FepError('FEP_BAD_ARGUMENT', `${path} is no JSON: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return parseResults(value, path)
}

/**
 * The results in a folder and in the folders right inside it, by experiment. Two results of one experiment are an error:
 * which one is meant cannot be guessed.
 * @throws FEP_IO where the folder cannot be read, FEP_BAD_ARGUMENT naming the file
 */
export function findResults(folder: string): Map<string, Results> {
  const root = resolve(folder)
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new FepError(
      'FEP_IO',
      `${root} is not a folder; run \`fep-moe reproduce\` first, or name another with --out`,
    )
  const inside = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
    .sort()
  const files = [root, ...inside].map((at) => join(at, RESULTS_FILE)).filter((file) => existsSync(file))
  const found = new Map<string, { results: Results; file: string }>()
  for (const file of files) {
    const results = readResults(file)
    const other = found.get(results.experiment)
    if (other)
      throw new FepError(
        'FEP_BAD_ARGUMENT',
        `${file} and ${other.file} are both results of ${results.experiment}; name one folder with --out`,
      )
    found.set(results.experiment, { results, file })
  }
  return new Map([...found].map(([name, { results }]) => [name, results]))
}

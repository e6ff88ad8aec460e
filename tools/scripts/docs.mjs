// Generated documentation: docs/errors.md from the source, docs/dependencies.md from the manifests, the README's sizes from
// those that are kept, docs/conformance.md and the README's matrix from what the lanes of a test run reported.
// `npm run docs` writes; `npm run docs -- --check` fails where a file is stale; `--only FILE` does one of them;
// `--reports FOLDER` takes the reports that tests left there (FEP_MOE_REPORTS), else the kept ones are used.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { dependenciesPage } from './dependencies-page.mjs'
import { errorsPage } from './errors-page.mjs'
import { lanes, namedLanes } from './lanes.mjs'
import { readJson, root, setup } from './setup.mjs'
import { sizesTable } from './sizes.mjs'
import { between, writeAside } from './write-aside.mjs'

const { values: flags } = parseArgs({
  options: { check: { type: 'boolean' }, reports: { type: 'string' }, only: { type: 'string' } },
})
const kept = join(root, 'docs/results/conformance.json')

await setup()
const { conformancePage, matrixTable } = await import(
  pathToFileURL(join(root, 'packages/conformance/dist/index.js')).href
)
const { summaries, absent } = collect()
const readme = join(root, 'README.md')
const files = {
  'docs/errors.md': errorsPage(),
  'docs/dependencies.md': dependenciesPage(),
  'docs/results/conformance.json': `${JSON.stringify(summaries, null, 1)}\n`,
  'docs/conformance.md': `${conformancePage({ lanes: summaries })}\n`,
  'README.md': between(
    between(readFileSync(readme, 'utf8'), 'table:conformance', matrixTable(summaries)),
    'table:sizes',
    sizesTable(),
  ),
}
const stale = Object.keys(files).filter((file) => {
  if (flags.only && file !== flags.only) return false
  const path = join(root, file)
  return !existsSync(path) || readFileSync(path, 'utf8') !== files[file]
})
for (const { lane, named } of absent)
  console.log(`${lane}: did not run here${named ? ', although it was named' : '; the kept row stands'}`)
if (flags.check) {
  for (const file of stale) console.log(`${file} is stale: run the tests and \`npm run docs\``)
  process.exitCode = stale.length > 0 || absent.some(({ named }) => named) ? 1 : 0
} else for (const file of stale) writeAside(join(root, file), files[file])

/** The rows: fresh ones where a lane ran, kept ones elsewhere. */
function collect() {
  const fresh = new Map()
  if (flags.reports && existsSync(flags.reports))
    for (const file of readdirSync(flags.reports).filter((name) => name.endsWith('.json'))) {
      const summary = readJson(join(flags.reports, file))
      fresh.set(summary.lane, summary)
    }
  const old = new Map((existsSync(kept) ? readJson(kept) : []).map((summary) => [summary.lane, summary]))
  const named = namedLanes()
  return {
    summaries: lanes.flatMap((lane) => fresh.get(lane) ?? old.get(lane) ?? []),
    absent: flags.reports
      ? lanes.filter((lane) => !fresh.has(lane)).map((lane) => ({ lane, named: named.includes(lane) }))
      : [],
  }
}

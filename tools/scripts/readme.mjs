// Writes the README's tables and verdicts of the ablation from a results file, and keeps the file in docs/results, so that every
// figure can be traced to the run that gave it. `npm run readme -- fep-moe-results/ablation/results.json`; without an
// argument, from the kept file.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, setup } from './setup.mjs'
import { table5 } from './table5.mjs'
import { between, writeAside } from './write-aside.mjs'

const kept = join(root, 'docs/results/ablation.json')
const readme = join(root, 'README.md')

await setup()
const load = (file) => import(pathToFileURL(join(root, 'packages/experiments/dist', file)).href)
const { ablation, markdownTable, parseResults } = await load('index.js')
const { claimsSummary, makeReport, readClaims } = await load('report/index.js')
const results = parseResults(JSON.parse(readFileSync(process.argv[2] ?? kept, 'utf8')))
if (process.argv[2]) writeAside(kept, `${JSON.stringify(results)}\n`)
const { claims } = makeReport(results, readClaims())
const withTable = between(readFileSync(readme, 'utf8'), 'table:ablation', table())
const withClaims = between(withTable, 'claims:ablation', claimsSummary(claims))
writeAside(readme, between(withClaims, 'table:5', table5(results)))

function table() {
  const { node, cpu, versions } = results.environment
  const runtime = versions['onnxruntime-node'] ? `, ONNX Runtime ${versions['onnxruntime-node']}` : ''
  const where = `Made by \`npm run -s fep-moe -- reproduce ablation\` on ${cpu}, Node ${node}${runtime}; ± is the sample standard deviation over seeds.`
  return `${markdownTable(ablation.tables({ ...results, settings: ablation.restore(results.settings) })[0])}\n\n${where}`
}

// `.ci/run`: every check of the project, one lane after the other. All lanes run; any failure makes it exit 1; the
// last line counts every test and each other lane as one.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lanes as allLanes } from './lanes.mjs'
import { foreground, npm, setup, toolEnv } from './setup.mjs'

const lanes = [
  'lint',
  'typecheck',
  'build',
  'test',
  'check:packages',
  'check:api',
  'check:typedoc',
  'knip',
  'check:onnx',
  'check:oldest-ort',
  'check:bundles',
  'check:nodes',
  'check:docs',
  'docs:test',
  'rehearse',
]
const total = { passed: 0, failed: 0 }
process.on('exit', report) // also when the setup ends the process

const folder = mkdtempSync(join(tmpdir(), 'fep-moe-ci-'))
const results = join(folder, 'vitest.json')
const reports = join(folder, 'conformance')
// Every lane of the matrix is named: one that cannot run here fails.
process.env.FEP_MOE_LANES ??= allLanes.join()
/** Arguments of single lanes. */
const extra = {
  test: ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`],
  'check:docs': ['--reports', reports],
}
let ready = false
await setup({ build: false })
ready = true

try {
  for (const lane of lanes) await run(lane)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function run(lane) {
  console.log(`\n--- ${lane}`)
  const started = Date.now()
  const code = await foreground([npm(), 'run', '--silent', lane, '--', ...(extra[lane] ?? [])], {
    env: { ...toolEnv(), FEP_MOE_REPORTS: reports },
  })
  if (code === 130) process.exit(code) // interrupted
  const { passed, failed } =
    lane === 'test' ? tests(code) : { passed: Number(code === 0), failed: Number(code !== 0) }
  total.passed += passed
  total.failed += failed
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  console.log(`--- ${lane}: ${failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
}

/** Vitest's counts. A file that does not load, an unhandled error or an empty run has no failed test: it counts as one. */
function tests(code) {
  if (!existsSync(results)) return { passed: 0, failed: 1 }
  const { numPassedTests: passed, numFailedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'))
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const failed = numFailedTests + broken.length
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed }
}

function report() {
  if (!ready) total.failed += 1
  if (total.failed > 0 && !process.exitCode) process.exitCode = 1
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
}

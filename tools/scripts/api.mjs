// The public surface of every entry of every package, as text that a review sees change: packages/*/etc/*.api.md.
// `npm run api` writes them; `npm run check:api` fails where one is stale.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { entryPoints } from './entry-points.mjs'
import { root, setup } from './setup.mjs'
import { writeAside } from './write-aside.mjs'

const COMPILER = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
}
const silent = { logLevel: 'none' }
/** Comments are TypeDoc's to check (`npm run check:typedoc`); everything that is exported is public. */
const MESSAGES = {
  compilerMessageReporting: { default: { logLevel: 'warning' } },
  extractorMessageReporting: {
    default: { logLevel: 'warning' },
    'ae-missing-release-tag': silent,
    'ae-forgotten-export': { logLevel: 'none', addToApiReportFile: true },
    'ae-undocumented': silent,
    'ae-unresolved-link': silent,
    'ae-unresolved-inheritdoc-reference': silent,
  },
  tsdocMessageReporting: { default: silent },
}

const { values: flags } = parseArgs({ options: { check: { type: 'boolean' } } })

await setup()
const scratch = mkdtempSync(join(tmpdir(), 'fep-moe-api-'))
const reports = new Map()
try {
  for (const entry of entryPoints)
    reports.set(join(entry.directory, 'etc', `${entry.id}.api.md`), report(entry))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
const kept = [...new Set(entryPoints.map(({ directory }) => join(directory, 'etc')))].flatMap((folder) =>
  existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((name) => join(folder, name)) : [],
)
const gone = kept.filter((file) => !reports.has(file))
const stale = [...reports].filter(([file, text]) => !kept.includes(file) || read(file) !== text)
for (const file of [...stale.map(([file]) => file), ...gone])
  if (flags.check) console.log(`${file} is stale: \`npm run api\`, and look at what changed`)
if (flags.check) process.exitCode = stale.length + gone.length === 0 ? 0 : 1
else {
  for (const [file, text] of stale) writeAside(join(root, file), text)
  for (const file of gone) rmSync(join(root, file))
}
console.log(`${reports.size} entries, ${stale.length + gone.length} ${flags.check ? 'stale' : 'written'}`)

function read(file) {
  return readFileSync(join(root, file), 'utf8')
}

/** The report of one entry. */
function report({ directory, id, types }) {
  const home = join(root, directory)
  const folder = join(scratch, id)
  mkdirSync(folder)
  const configuration = ExtractorConfig.prepare({
    configObject: {
      projectFolder: home,
      mainEntryPointFilePath: join(home, types),
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [join(home, types)] } },
      apiReport: {
        enabled: true,
        reportFileName: `${id}.api.md`,
        reportFolder: folder,
        reportTempFolder: folder,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: MESSAGES,
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(home, 'package.json'),
  })
  const problems = []
  const { succeeded } = Extractor.invoke(configuration, {
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel === 'error' || message.logLevel === 'warning') problems.push(message.text)
      message.handled = true
    },
  })
  if (!succeeded || problems.length > 0) throw new Error(`${id}: ${problems.join('\n')}`)
  return readFileSync(join(folder, `${id}.api.md`), 'utf8')
}

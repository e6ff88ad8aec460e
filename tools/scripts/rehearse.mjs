// `npm run -s rehearse`: a release from end to end, on a registry of its own. Versions and changelogs from the changesets,
// every package published, then installed by npm, pnpm and yarn into empty folders, where programs import, require and
// type-check it and run the READMEs, on the oldest and the newest Node. The last line is `N passed, N failed`.
// Everything lies in a temporary folder, which is removed; the registry ends with this process.
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installers, installInto } from '../rehearsal/installers.mjs'
import { dawn, nodeTypes, published, runtimes } from '../rehearsal/packages.mjs'
import {
  importAll,
  inspectFiles,
  missingRuntime,
  requireAll,
  runSnippets,
  typeCheck,
} from '../rehearsal/programs.mjs'
import { publishAll } from '../rehearsal/publish.mjs'
import { startRegistry } from '../rehearsal/registry.mjs'
import { counter } from '../rehearsal/run.mjs'
import { stranger } from '../rehearsal/stranger.mjs'
import { hasNodeBinaries, NEWEST_NODE, nodeBinary, OLDEST_NODE } from './node-binary.mjs'
import { setup } from './setup.mjs'
import { prepareSwiftShader, swiftshaderEnv } from './swiftshader.mjs'

await setup()
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'fep-moe-rehearsal-')))
const clean = () => rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
process.on('exit', clean)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))
const { step, total } = counter()
const nodes = nodesToTry()
const driver = await prepareSwiftShader()
if (driver.ready) process.env = { ...process.env, ...swiftshaderEnv(driver.folder, { only: true }) }
const registry = await startRegistry(scratch)
try {
  if (await step('published', publishEverything)) await everyone()
} finally {
  await registry.stop()
}
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

/** The oldest and the newest that are claimed where their binaries run, else the Node that is here. */
function nodesToTry() {
  if (!hasNodeBinaries) return { [process.versions.node]: process.execPath }
  return Object.fromEntries([OLDEST_NODE, NEWEST_NODE].map((version) => [version, nodeBinary(version)]))
}

async function publishEverything() {
  const versions = await publishAll(registry, join(scratch, 'workspace'))
  const distinct = new Set(Object.values(versions))
  if (distinct.size !== 1) throw new Error(`versions differ: ${JSON.stringify(versions)}`)
  return `${Object.keys(versions).length} packages as ${[...distinct]}`
}

async function everyone() {
  for (const installer of installers) await installAndUse(installer)
  for (const [version, node] of Object.entries(nodes).slice(0, 1))
    await step(`stranger, Node ${version}`, async () => {
      console.log(await stranger({ registry, scratch, node }))
    })
}

async function installAndUse(installer) {
  const names = published.map(({ manifest }) => manifest.name)
  const everything = installer === 'npm'
  const packages = [...names, ...runtimes, nodeTypes, ...(everything ? [dawn] : [])]
  let folder
  const installed = await step(`${installer}: installed`, async () => {
    folder = await installInto(installer, packages, { registry, scratch })
  })
  if (!installed) return
  await step(`${installer}: files`, () => inspectFiles({ folder }))
  const lanes = Object.entries(nodes).map(
    ([version, node], i) =>
      () =>
        runPrograms({ folder, node, env: registry.env }, `${installer}, Node ${version}`, {
          withDawn: everything && driver.ready,
          withExperiments: everything && i === 0, // half a minute of arithmetic that no installer changes
        }),
  )
  await Promise.all(lanes.map((lane) => lane()))
  await typeChecks(installer, folder)
  rmSync(folder, { recursive: true, force: true })
}

async function runPrograms(place, on, { withDawn, withExperiments }) {
  await step(`${on}: import`, () => importAll(place))
  await step(`${on}: require`, () => requireAll(place))
  const without = [
    ...(withDawn ? [] : ['@fep-moe/webgpu']),
    ...(withExperiments ? [] : ['@fep-moe/experiments']),
  ]
  await step(`${on}: README snippets`, () => runSnippets(place, { without }))
  if (withDawn || hasDawn(place)) return
  const dawnless = { entry: '@fep-moe/webgpu', open: 'webgpuBackend', line: 'npm install webgpu' }
  await step(`${on}: no Dawn, and a line that installs it`, () => missingRuntime(place, dawnless))
}

function hasDawn({ folder }) {
  return existsSync(join(folder, 'node_modules/webgpu'))
}

async function typeChecks(installer, folder) {
  const place = { folder, env: registry.env }
  const node16 = { module: 'node16', moduleResolution: 'node16' }
  const bundler = { module: 'esnext', moduleResolution: 'bundler' }
  const checks = [
    step(`${installer}, TypeScript: node16`, () => typeCheck(place, node16)),
    step(`${installer}, TypeScript: bundler`, () => typeCheck(place, bundler)),
  ]
  await Promise.all(checks)
  // pnpm lays out what is declared and nothing else, so declarations that lean on more are found there.
  if (installer === 'pnpm')
    await step(`${installer}, TypeScript: declarations`, () =>
      typeCheck(place, { ...node16, declarations: true }),
    )
}

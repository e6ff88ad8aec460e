// Packs every published package as a release would, and checks the tarballs: publint reads the manifest and the
// files, are-the-types-wrong resolves the types as consumers do, and sizes are those that the README shows (`--write` keeps
// new ones).
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { bin, quietly, readJson, root, setup, toolEnv, workspaceDirectories } from './setup.mjs'
import { keepSizes } from './sizes.mjs'

await setup()
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-pack-'))
try {
  const published = workspaceDirectories().filter((directory) => !manifest(directory).private)
  const outcomes = await Promise.all(published.map(check))
  const sizes = Object.fromEntries(outcomes.filter(Boolean))
  const stale = keepSizes('packed', sizes, { write: process.argv.includes('--write') })
  for (const line of stale) console.log(line)
  process.exitCode = outcomes.every(Boolean) && stale.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function check(directory) {
  const { name, exports } = manifest(directory)
  const target = mkdtempSync(join(folder, 'package-'))
  const run = (what, ...args) => quietly(`${what} of ${name}`, args, toolEnv())
  try {
    await run('packing', bin('pnpm'), '--dir', join(root, directory), 'pack', '--pack-destination', target)
    const tarball = join(target, readdirSync(target)[0])
    await run('publint check', bin('publint'), 'run', tarball, '--strict')
    if (exports['.']) await run('type check', bin('attw'), tarball, '--profile', 'esm-only', '--no-emoji')
    console.log(`${name}: fit to publish`)
    return [name, sizesOf(tarball)]
  } catch (error) {
    console.log(`${name}: ${error.message}`)
    return undefined
  }
}

/** Bytes of a tarball, and of its archive: files, each in whole blocks. */
function sizesOf(tarball) {
  const bytes = readFileSync(tarball)
  return { tarball: bytes.length, unpacked: gunzipSync(bytes).length }
}

function manifest(directory) {
  return readJson(join(root, directory, 'package.json'))
}

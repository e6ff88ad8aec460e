// Makes a checkout ready: installs when a manifest changed, builds when a source changed, says nothing when
// neither did. It runs before anything is installed, so it uses Node alone; and it must still load on a Node
// that is too old, to say so.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const modules = join(root, 'node_modules')
const stamp = join(modules, '.fep-setup')
const setupLock = join(modules, '.fep-setup.lock')

/** Paths of all workspace packages, relative to the root. */
export function workspaceDirectories() {
  const grouped = ['packages', 'apps'].flatMap((group) =>
    existsSync(join(root, group)) ? readdirSync(join(root, group)).map((name) => `${group}/${name}`) : [],
  )
  return [...grouped, 'tools', 'examples'].filter((directory) =>
    existsSync(join(root, directory, 'package.json')),
  )
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Prepares the checkout, or ends the process with one clear line. Pass `build: false` for tools that read sources. */
export async function setup({ build = true } = {}) {
  try {
    checkNode()
    await exclusively(async () => {
      await install()
      if (build) await buildAll()
    })
  } catch (error) {
    process.stderr.write(`fep-moe: ${error.message}\n`)
    process.exit(1)
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22
  if (!supported) {
    throw new Error(
      `Node ${process.versions.node} is too old: fep-moe needs 20.19 or a later 20, or 22.12 or newer.`,
    )
  }
}

async function install() {
  const wanted = installHash()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('fep-moe: installing dependencies, about a minute the first time…\n')
  rmSync(stamp, { force: true })
  const pnpm = readJson(join(root, 'package.json')).packageManager
  const { npm_config_loglevel: _, NODE_ENV: __, ...env } = process.env // silent and production would hide or omit things
  await quietly(
    'install',
    [
      npm(),
      'exec',
      '--yes',
      '--package',
      pnpm,
      '--',
      'pnpm',
      'install',
      '--frozen-lockfile',
      '--prefer-offline',
    ],
    { ...env, CI: 'true', ONNXRUNTIME_NODE_INSTALL: 'skip' },
  )
  writeFileSync(stamp, wanted)
}

/** What an installation depends on: every manifest, the lockfile, and the platform that native packages are for. */
function installHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  const manifests = ['.', ...workspaceDirectories()].map((directory) => join(directory, 'package.json'))
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`\n${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/**
 * One `tsc -b` over all packages: a fifth of the time of one process per package, and it knows what is fresh. Types are
 * checked by `typecheck` and `build`; without it a first start takes half as long here.
 */
async function buildAll() {
  const projects = workspaceDirectories().filter((directory) =>
    existsSync(join(root, directory, 'tsconfig.json')),
  )
  await quietly('build', [bin('tsc'), '-b', '--noCheck', ...projects], toolEnv())
}

/** The JavaScript file behind a command of a root dependency: run with node, it needs no shell on any system. */
export function bin(command) {
  const owner = {
    attw: '@arethetypeswrong/cli',
    biome: '@biomejs/biome',
    changeset: '@changesets/cli',
    tsc: 'typescript',
  }
  const home = join(modules, owner[command] || command)
  const manifest = readJson(join(home, 'package.json'))
  const file = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[command]
  return join(home, file)
}

/** The environment of tools: pnpm is a dependency of the root, so nothing global is needed. */
export function toolEnv() {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') || 'PATH'
  return {
    ...process.env,
    [key]: [join(modules, '.bin'), process.env[key]].filter(Boolean).join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  }
}

/** The file of npm: the one that runs us, else the one on the PATH, else the one beside node. */
export function npm() {
  const onPath = (process.env.PATH || process.env.Path || '').split(delimiter)
  const candidates = [
    process.env.npm_execpath || '',
    ...onPath.map((directory) => join(directory, 'npm')),
    ...onPath.map((directory) => join(directory, 'node_modules/npm/bin/npm-cli.js')),
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
  ]
  const files = candidates.filter((path) => existsSync(path)).map((path) => realpathSync(path))
  const found = files.find((path) => path.endsWith('npm-cli.js'))
  if (!found) throw new Error('npm was not found beside Node: run this through npm, for instance `npm test`.')
  return found
}

/** Runs node with `args`; shows its output only when it fails. */
export function quietly(what, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      process.stderr.write(Buffer.concat(output))
      reject(new Error(`the ${what} failed (${signal || `exit ${code}`}); its output is above.`))
    })
  })
}

/** One process at a time does `work`. A lock whose owner is gone is taken over. */
export async function exclusively(work, lock = setupLock) {
  mkdirSync(dirname(lock), { recursive: true })
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (!isHeld(lock)) rmSync(lock, { force: true })
      else await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const release = () => rmSync(lock, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

function isHeld(lock) {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    if (owner === 0) return Date.now() - statSync(lock).mtimeMs < 5000 // just created, not yet written
    process.kill(owner, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Runs node with `args` in the foreground and resolves to its exit code; a signal counts as 128 + its number. */
export function foreground(args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env: toolEnv(), stdio: 'inherit', ...options })
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    const forward = (signal) => signal !== 'SIGINT' && child.kill(signal) // a terminal interrupts the child itself
    for (const signal of signals) process.on(signal, forward)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const name of signals) process.removeListener(name, forward)
      resolve(signal ? 128 + constants.signals[signal] : code)
    })
  })
}

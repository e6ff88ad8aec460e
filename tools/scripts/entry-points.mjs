// Every entry of every published package: what `exports` leads to.
import { join } from 'node:path'
import { readJson, root, workspaceDirectories } from './setup.mjs'

/** @type {{ directory: string, name: string, id: string, types: string, source: string }[]} */
export const entryPoints = workspaceDirectories().flatMap((directory) => {
  const { name, exports = {}, private: hidden } = readJson(join(root, directory, 'package.json'))
  if (hidden) return []
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const id = `${name}${subpath.slice(1)}`.replace(/^@fep-moe\//, '').replaceAll('/', '-')
    const source = target.types.replace('./dist/', 'src/').replace('.d.ts', '.ts')
    return [{ directory, name: name + subpath.slice(1), id, types: target.types, source }]
  })
})

/** What code makes a run: a hash that changes whenever a run could. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { type BackendName, backendEntry } from './backends.js'
import { packageVersions } from './environment.js'

const require = createRequire(import.meta.url)

/** Folders of a package whose code no run passes through. */
const AFTERWARDS = ['report', 'claims']

/** Built JavaScript of a package, relative to its `dist`, in an order that is the same on every system. */
function builtFiles(dist: string): string[] {
  return readdirSync(dist, { recursive: true })
    .map((name) => String(name).split(sep).join('/'))
    .filter((name) => name.endsWith('.js') && !AFTERWARDS.includes(name.split('/')[0] as string))
    .sort()
}

const known = new Map<BackendName, string>()

/**
 * Hash of everything but settings and seed that a run on a backend depends on: the built code of core, of the experiments
 * and of the backend's own packages, the versions of its runtime, of Node, and the platform. Computed once per process.
 */
export function codeVersion(backend: BackendName): string {
  const found = known.get(backend)
  if (found) return found
  const hash = createHash('sha256')
  const own = backendEntry(backend).packages.filter((name) => name.startsWith('@fep-moe/'))
  // Native backends run small programs as generated JavaScript.
  for (const name of [...new Set(['@fep-moe/core', '@fep-moe/experiments', '@fep-moe/js', ...own])].sort()) {
    const dist = join(dirname(require.resolve(`${name}/package.json`)), 'dist')
    for (const file of builtFiles(dist))
      hash.update(`${name}/${file}\n`).update(readFileSync(join(dist, file)))
  }
  const { node } = process.versions
  hash.update(JSON.stringify([packageVersions(backend), node, process.platform, process.arch]))
  const version = hash.digest('hex')
  known.set(backend, version)
  return version
}

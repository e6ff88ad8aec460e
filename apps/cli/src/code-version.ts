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

/** A package by name, and the folder of its built code. */
export interface BuiltPackage {
  readonly name: string
  readonly dist: string
}

/** Hash of the built code that runs pass through: names and contents of all files. */
export function hashCode(packages: readonly BuiltPackage[]): string {
  const hash = createHash('sha256')
  for (const { name, dist } of packages)
    for (const file of builtFiles(dist)) {
      const content = readFileSync(join(dist, file))
      hash.update(`${name}/${file} ${content.length}\n`).update(content)
    }
  return hash.digest('hex')
}

const known = new Map<BackendName, string>()

/**
 * What a run on a backend depends on beside settings and seed: the built code of core, of the experiments and of the
 * backend's own packages, the versions of its runtime, of Node, and the platform. Computed once per process.
 */
export function codeVersion(backend: BackendName): string {
  const found = known.get(backend)
  if (found) return found
  const own = backendEntry(backend).packages.filter((name) => name.startsWith('@fep-moe/'))
  // Native backends run small programs as generated JavaScript.
  const names = [...new Set(['@fep-moe/core', '@fep-moe/experiments', '@fep-moe/js', ...own])].sort()
  const packages = names.map((name) => ({
    name,
    dist: join(dirname(require.resolve(`${name}/package.json`)), 'dist'),
  }))
  const around = [packageVersions(backend), process.versions.node, process.platform, process.arch]
  const version = createHash('sha256').update(hashCode(packages)).update(JSON.stringify(around)).digest('hex')
  known.set(backend, version)
  return version
}

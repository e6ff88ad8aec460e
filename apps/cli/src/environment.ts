/** Where results were made. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, type as systemName } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Environment } from '@fep-moe/experiments'
import { type BackendName, backendEntry } from './backends.js'

const require = createRequire(import.meta.url)

const readVersion = (path: string): string =>
  (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version

/** The version of this command. */
export const ownVersion = (): string =>
  readVersion(fileURLToPath(new URL('../package.json', import.meta.url)))

/** Versions of the packages behind a backend; what is not installed is left out. */
export function packageVersions(backend: BackendName): Record<string, string> {
  const versions: Record<string, string> = { 'fep-moe': ownVersion() }
  for (const name of ['@fep-moe/core', '@fep-moe/experiments', ...backendEntry(backend).packages]) {
    try {
      versions[name] = readVersion(require.resolve(`${name}/package.json`))
    } catch {
      // An optional runtime that is not there says so when it is loaded.
    }
  }
  return versions
}

/** Describes this machine. */
export function describeEnvironment(backend: BackendName, threads: number): Environment {
  const processors = cpus()
  return {
    versions: packageVersions(backend),
    node: process.versions.node,
    os: `${systemName()} ${release()} ${process.arch}`,
    cpu: `${processors[0]?.model.trim() ?? 'unknown'} x ${processors.length}`,
    threads,
    commit: checkoutCommit(),
  }
}

/** The commit of the checkout this file is in; null for an installed package, whatever repository it is installed in. */
function checkoutCommit(): string | null {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  if (!existsSync(new URL('../../../pnpm-workspace.yaml', import.meta.url))) return null
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*']
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

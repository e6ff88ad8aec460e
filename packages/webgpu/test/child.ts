/** Scripts in a process of their own, on the sources of this package. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const here = import.meta.dirname
const packages = join(here, '../..')

/** How a process ended. */
export interface Ended {
  /** Exit code; a signal's name where one ended it. */
  readonly status: number | string
  readonly stdout: string
  readonly stderr: string
}

/** A script that is bundled once and run several times. */
export interface Script {
  run(flags?: readonly string[]): Promise<Ended>
  remove(): void
}

/** Bundles a module; it may import from `./` (this folder) and from packages of the workspace. */
export async function script(code: string): Promise<Script> {
  const parent = join(here, '../node_modules/.cache')
  mkdirSync(parent, { recursive: true })
  // Inside the package, so that what is imported by name is found as it is from the sources.
  const folder = mkdtempSync(join(parent, 'child-'))
  await build({
    stdin: { contents: code, resolveDir: here, loader: 'ts' },
    outdir: folder,
    entryNames: 'script',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    alias: Object.fromEntries(
      ['core', 'js'].map((name) => [`@fep-moe/${name}`, join(packages, name, 'src/index.ts')]),
    ),
    logLevel: 'error',
  })
  return {
    run: (flags = []) => ended([...flags, join(folder, 'script.mjs')]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function ended(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      // A crash is a signal; Node turns an abort in an addon into an exit code of 128 + its number, as shells do.
      const status = signal ?? (code === 128 + constants.signals.SIGABRT ? 'SIGABRT' : (code ?? -1))
      resolve({ status, stdout: stdout.trim(), stderr: stderr.trim() })
    })
  })
}

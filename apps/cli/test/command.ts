/** Runs the built command, as a user would. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, vi } from 'vitest'

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

// Starting a process takes a while where many do so at once.
vi.setConfig({ testTimeout: 120_000 })

export interface Outcome {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd: string
  /** A file of test/fixtures to load first. */
  readonly preload?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called with everything that was on stderr so far. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

export function fepMoe(
  args: readonly string[],
  { cwd, preload, env, onStderr }: CommandOptions,
): Promise<Outcome> {
  const options = preload
    ? `--import=${pathToFileURL(fileURLToPath(new URL(`fixtures/${preload}`, import.meta.url)))}`
    : ''
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: options, FEP_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr?.(stderr, (signal) => child.kill(signal))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }))
  })
}

/** A folder for the tests of a file, removed after them. */
export function scratchFolder(): { readonly path: string; list(): string[] } {
  const folder = { path: '', list: () => readdirSync(folder.path, { recursive: true }).map(String).sort() }
  beforeAll(() => {
    if (!existsSync(bin)) throw new Error('build first: these tests run dist/bin.js (`npm test` does both)')
    folder.path = mkdtempSync(join(tmpdir(), 'fep-moe-cli-'))
  })
  afterAll(() => rmSync(folder.path, { recursive: true, force: true }))
  return folder
}

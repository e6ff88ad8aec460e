/**
 * Finished runs, kept on disk under a hash of what they depend on, so that a training that was interrupted goes on where it
 * stopped. An entry is written aside and renamed: it is whole or not there. What is there is still not trusted: a run
 * counts only with the right shape, key and checksum.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FepError, schemas, show } from '@fep-moe/core'
import { parseRun, type Run } from '@fep-moe/experiments'
import * as v from 'valibot'
import { codeVersion } from './code-version.js'
import { openOutput } from './output.js'
import type { Task } from './protocol.js'

/** What was found for a task. */
export type Lookup =
  | { readonly kind: 'hit'; readonly run: Run }
  | { readonly kind: 'miss' }
  /** Something is there, and it is not what was written. */
  | { readonly kind: 'damaged'; readonly path: string; readonly why: string }

/** A folder of finished runs. */
export interface RunCache {
  readonly folder: string
  find(task: Task): Lookup
  /** @throws FEP_IO */
  keep(task: Task, run: Run): void
  /** Removes the folders that were made for nothing. */
  discard(): void
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** JSON with sorted keys: the same settings give the same text however they were put together. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** What a run is kept under. Which other seeds and conditions run beside it does not matter to it. */
export function runKey(task: Task, version: string = codeVersion(task.backend)): string {
  const { seeds: _, conditions: __, ...settings } = task.settings
  const { experiment, job, backend, threads } = task
  return sha256(canonical({ version, experiment, settings, job, backend, threads }))
}

const entrySchema = v.strictObject({
  schemaVersion: v.literal(1),
  key: v.string(),
  checksum: v.string(),
  run: v.unknown(),
})

/**
 * Opens the cache in a folder, which is made where it is missing and proven writable.
 * @throws FEP_IO
 */
export function openCache(path: string): RunCache {
  const folder = resolve(path)
  const output = openOutput(folder, [], '--cache')
  const name = (key: string) => `${key}.json`
  return {
    folder,
    find: (task) => {
      const key = runKey(task)
      const file = join(folder, name(key))
      let text: string
      try {
        text = readFileSync(file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'miss' }
        return { kind: 'damaged', path: file, why: (error as Error).message }
      }
      try {
        return { kind: 'hit', run: readEntry(text, key, task) }
      } catch (error) {
        return { kind: 'damaged', path: file, why: (error as Error).message }
      }
    },
    keep: (task, run) => {
      const key = runKey(task)
      const entry = { schemaVersion: 1, key, checksum: sha256(canonical(run)), run }
      output.write(name(key), `${JSON.stringify(entry)}\n`)
    },
    discard: output.discard,
  }
}

/** @throws FEP_BAD_ARGUMENT, SyntaxError */
function readEntry(text: string, key: string, { experiment, job }: Task): Run {
  const entry = schemas.parse(entrySchema, JSON.parse(text), 'entry', 'FEP_BAD_ARGUMENT')
  const run = parseRun(entry.run, 'entry.run')
  const refuse = (field: string, value: unknown): never => {
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `entry.${field} is ${show(value)}: not what was written under this name`,
    )
  }
  if (entry.key !== key) refuse('key', entry.key)
  if (entry.checksum !== sha256(canonical(run))) refuse('checksum', entry.checksum)
  if (run.experiment !== experiment) refuse('run.experiment', run.experiment)
  if (run.condition !== job.condition || run.seed !== job.seed) refuse('run', `${run.condition} ${run.seed}`)
  return run
}

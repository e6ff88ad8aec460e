/** Exit statuses, and errors as one line on stderr. */
import { FepError, type FepErrorCode } from '@fep-moe/core'
import { CommanderError } from 'commander'

/** What the process returns. */
export const STATUS = { done: 0, failed: 1, usage: 2, missing: 3, interrupted: 130 } as const

/** What the caller can mend. Everything else failed while it ran. */
const USAGE: readonly FepErrorCode[] = [
  'FEP_USAGE',
  'FEP_BAD_ARGUMENT',
  'FEP_BAD_CONFIG',
  'FEP_BAD_FEED',
  'FEP_BAD_PARAMS',
  'FEP_BAD_FILE',
  'FEP_UNSUPPORTED',
  'FEP_IO',
  'FEP_CONFORMANCE',
]

/** Ctrl-C, or another polite signal to stop. */
export class Interrupted extends Error {
  constructor(
    readonly status: number = STATUS.interrupted,
    /** What is left of the work. */
    readonly kept: string = 'nothing was written',
  ) {
    super('interrupted')
  }
}

/** Prints an error, unless there is nothing to say. @returns the exit status */
export function reportError(error: unknown): number {
  if (error instanceof Interrupted) {
    process.stderr.write(`interrupted; ${error.kept}\n`)
    return error.status
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return STATUS.done
    if (error.code === 'commander.help')
      return print('FEP_USAGE', 'a command is missing; --help lists them', error, STATUS.usage)
    return print('FEP_USAGE', error.message.replace(/^error: /, ''), error, STATUS.usage)
  }
  if (error instanceof FepError) {
    const missing = error.code === 'FEP_BACKEND_MISSING'
    const status = missing ? STATUS.missing : USAGE.includes(error.code) ? STATUS.usage : STATUS.failed
    return print(error.code, error.message, error, status)
  }
  return print('FEP_INTERNAL', error instanceof Error ? error.message : String(error), error, STATUS.failed)
}

function print(code: string, message: string, error: unknown, status: number): number {
  process.stderr.write(`error ${code}: ${message.trim().replace(/\s*\n\s*/g, ' ')}\n`)
  if (process.env.FEP_DEBUG && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ''}\n`)
    if (error.cause instanceof Error)
      process.stderr.write(`caused by ${error.cause.stack ?? error.cause.message}\n`)
  }
  return status
}

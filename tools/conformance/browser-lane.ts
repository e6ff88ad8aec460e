/** A lane whose executor is in a page: the cases are the tests of this process, and run over there, one at a time. */
import { type CaseResult, conformance, type ExpectedFailure, type SuiteOptions } from '@fep-moe/conformance'
import type { Backend } from '@fep-moe/core'
import { afterAll, describe, it } from 'vitest'
import { saveReport } from './save-report.js'

/** The other side: a page with the lane's executor open. */
export interface LanePage {
  readonly backend: Pick<Backend, 'name' | 'specVersion' | 'capabilities'>
  run(id: string, expected?: ExpectedFailure): Promise<CaseResult>
  /** Resolves with the reason when the page is gone. */
  readonly gone: Promise<string>
  /** What the page complained about so far: errors of its console, requests that failed. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Options of {@link browserLane}. */
export interface BrowserLaneOptions extends Pick<SuiteOptions, 'groups' | 'expectedFailures'> {
  /** Name of the lane; its report is saved under it. Default: no report, for a run that is not in the matrix. */
  readonly lane?: string
  /** Opens the page. It has `limit` to do so. */
  readonly open: () => Promise<LanePage>
  /** Milliseconds that the page has for one answer, default 200,000: less than the suite gives a case, so that it can say why. */
  readonly limit?: number
}

/** Registers the suite. */
export function browserLane({ lane, open, limit = 200_000, ...options }: BrowserLaneOptions): void {
  const remote = remoteLane(open, limit)
  afterAll(remote.close, limit)
  conformance({
    ...options,
    runner: { describe, it },
    backend: remote.backend,
    run: ({ id }, expected) => remote.run(id, expected),
    ...(lane === undefined ? {} : { report: saveReport(lane) }),
  })
}

/** A page as the suite needs it. */
export interface RemoteLane {
  run(id: string, expected?: ExpectedFailure): Promise<CaseResult>
  /** Says what the executor is; disposing it throws what the page complained about. */
  backend(): Promise<Backend>
  close(): Promise<void>
}

/**
 * Opens the page when it is first needed. A page that crashes or hangs fails the case that it was at, and every later one
 * at once.
 */
export function remoteLane(open: () => Promise<LanePage>, limit: number): RemoteLane {
  let opening: Promise<LanePage> | undefined
  let lost: string | undefined
  const page = () => {
    opening ??= within(limit, open(), 'opening the page').catch((error: Error) => {
      lost = error.message
      throw error
    })
    return opening
  }
  return {
    run: async (id, expected) => {
      if (lost !== undefined) throw new Error(`not run: ${lost}`)
      const { run, gone } = await page()
      const ended = gone.then((reason) => {
        throw new Error(reason)
      })
      // The page's own failures are results, so what is thrown here is the end of the page.
      return within(limit, Promise.race([run(id, expected), ended]), id).catch((error: Error) => {
        lost = `${error.message} (at ${id})`
        throw new Error(lost)
      })
    },
    backend: async () => {
      const { backend, complaints } = await page()
      const dispose = async () => {
        if (complaints.length > 0) throw new Error(`the page complained:\n${complaints.join('\n')}`)
      }
      const compile = () => Promise.reject(new Error('the executor is in a page'))
      return { ...backend, compile, dispose, [Symbol.asyncDispose]: dispose }
    },
    close: async () => {
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
    },
  }
}

async function within<T>(limit: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${limit / 1000} s`)), limit)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

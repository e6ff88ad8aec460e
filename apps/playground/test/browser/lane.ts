/** Lanes of the conformance matrix in Chromium. */
import type { CaseResult } from '@fep-moe/conformance'
import {
  type BrowserLaneOptions,
  browserLane,
  type LanePage,
} from '../../../../tools/conformance/browser-lane.js'
import { standIn } from '../../../../tools/conformance/stand-in.js'
import type { ConformanceApi } from '../../src/conformance/api.js'
import { findChromium } from './chromium.js'
import { startVisit } from './page.js'

declare const window: { readonly conformance: ConformanceApi }

/** Options of {@link chromiumLane}. */
export interface ChromiumLaneOptions extends Omit<BrowserLaneOptions, 'open'> {
  /** Name of the executor in the page. */
  readonly executor: string
  /** Of the browser, beside the usual ones. */
  readonly flags?: readonly string[]
}

/** Registers a lane, or one test that says why it cannot run. */
export async function chromiumLane({ executor, flags, ...options }: ChromiumLaneOptions): Promise<void> {
  const { reason } = await findChromium()
  if (reason === undefined) browserLane({ ...options, open: () => openLane(executor, flags) })
  else standIn(options.lane ?? executor, reason)
}

async function openLane(executor: string, flags?: readonly string[]): Promise<LanePage> {
  const visit = await startVisit(flags)
  try {
    const { page, gone, complaints } = await visit.open('conformance.html')
    const backend = await page.evaluate((name) => window.conformance.open(name), executor)
    return {
      backend,
      gone,
      complaints,
      run: (id, expected): Promise<CaseResult> =>
        page.evaluate(([id, expected]) => window.conformance.run(id, expected), [id, expected] as const),
      close: () => visit.close(),
    }
  } catch (error) {
    await visit.close()
    throw error
  }
}

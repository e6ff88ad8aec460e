/** A lane that cannot run on this machine says so, and fails where it was asked for by name. */
import { it } from 'vitest'

/** Registers one test that stands for the lane: skipped with its reason, failed where FEP_MOE_LANES names the lane. */
export function standIn(lane: string, reason: string): void {
  const required = (process.env.FEP_MOE_LANES ?? '').split(',').includes(lane)
  if (required)
    it(`${lane} runs here`, () => {
      throw new Error(reason)
    })
  else it.skip(`${lane}: ${reason}`, () => undefined)
}

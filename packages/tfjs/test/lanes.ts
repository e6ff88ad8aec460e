/** The tfjs backends that run here. `FEP_MOE_LANES` (names with commas) says which must. */
import { it } from 'vitest'
import { type TfjsName, tfjsBackends } from '../src/index.js'

const found = await tfjsBackends()

/** Names of backends to run tests on. */
export const lanes: readonly TfjsName[] = found.filter((b) => b.available).map((b) => b.name)

/** Why a backend does not run here; undefined where it does. */
export const reasonAgainst = (name: TfjsName): string | undefined =>
  found.find((b) => b.name === name)?.reason

/** Registers one test that stands for a lane that cannot run: skipped with its reason, failed where the lane is required. */
export function standIn(lane: string, reason: string): void {
  const required = (process.env.FEP_MOE_LANES ?? '').split(',').includes(lane)
  if (required)
    it(`${lane} runs here`, () => {
      throw new Error(reason)
    })
  else it.skip(`${lane}: ${reason}`, () => undefined)
}

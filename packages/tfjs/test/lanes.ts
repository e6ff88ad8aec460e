/** The tfjs backends that run here. */
import { type TfjsName, tfjsBackends } from '../src/index.js'

const found = await tfjsBackends()

/** Names of backends to run tests on. */
export const lanes: readonly TfjsName[] = found.filter((b) => b.available).map((b) => b.name)

/** Why a backend does not run here; undefined where it does. */
export const reasonAgainst = (name: TfjsName): string | undefined =>
  found.find((b) => b.name === name)?.reason

/** Placeholder until the cases of this group land. */
import type { ConformanceCase } from '../frame/case.js'

/** Cases of the group `non-finite`. */
export const nonFinite = (): readonly ConformanceCase[] => []

/** Placeholder until the cases of this group land. */
import type { ConformanceCase } from '../frame/case.js'

/** Cases of the group `official`. */
export const official = (): readonly ConformanceCase[] => []

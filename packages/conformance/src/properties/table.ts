/** What holds for every gate, tried on random ones. */
import type { ConformanceCase } from '../frame/case.js'
import { gradients } from './gradients.js'
import { horizons } from './horizon.js'
import { policyProperties } from './policies.js'
import { routing } from './routing.js'
import { streaming } from './streaming.js'
import { training } from './training.js'

/** Cases of the group `properties`. */
export const properties = (): readonly ConformanceCase[] => [
  ...routing(),
  ...streaming(),
  ...horizons(),
  ...training(),
  ...gradients(),
  ...policyProperties(),
]

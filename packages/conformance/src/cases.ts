/** The whole suite, in a fixed order. */
import type { ConformanceCase } from './frame/case.js'
import { fuzz } from './fuzz/table.js'
import { gates } from './gates/table.js'
import { golden } from './golden/table.js'
import { gradients } from './gradients/table.js'
import { lifecycle } from './lifecycle/table.js'
import { nonFinite } from './non-finite/table.js'
import { official } from './official/table.js'
import { operators } from './operators/table.js'
import { properties } from './properties/table.js'

let all: readonly ConformanceCase[] | undefined

/** Every case, group after group. The list is the same for every backend. */
export function conformanceCases(): readonly ConformanceCase[] {
  all ??= [
    ...operators(),
    ...official(),
    ...gradients(),
    ...golden(),
    ...gates(),
    ...properties(),
    ...fuzz(),
    ...nonFinite(),
    ...lifecycle(),
  ]
  return all
}

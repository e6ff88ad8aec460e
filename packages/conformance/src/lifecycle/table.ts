/** Every case of the group `lifecycle`. */
import type { ProcedureCase } from '../frame/case.js'
import { badFeeds } from './bad-feeds.js'
import { disposal } from './disposal.js'
import { graphsAndCapabilities } from './graphs-and-capabilities.js'
import { runInto } from './run-into.js'
import { runs } from './runs.js'

/** See the file's header. */
export const lifecycle = (): ProcedureCase[] => [
  ...disposal,
  ...runs,
  ...runInto,
  ...badFeeds,
  ...graphsAndCapabilities,
]

/** A lane of the published matrix: one executor's counts, as plain data that is the same on every machine. */
import type { Capabilities } from '@fep-moe/core'
import type { Group } from '../frame/case.js'
import type { Counts, ExpectedFailure, Report } from '../frame/result.js'

/** One executor's row. Errors and times are left out: they differ between machines, and a report has them. */
export interface LaneSummary {
  /** Name of the lane, as CI knows it. */
  readonly lane: string
  readonly capabilities: Capabilities
  readonly groups: Readonly<Partial<Record<Group, Counts>>>
  readonly expectedFailures: readonly ExpectedFailure[]
}

/** The row of a report. */
export function laneSummary(lane: string, { capabilities, groups, results }: Report): LaneSummary {
  const expectedFailures = results.flatMap(({ expectedFailure }) => expectedFailure ?? [])
  return { lane, capabilities, groups, expectedFailures }
}

/** Keeps what a conformance lane of the test run found, where the run asks for it: docs/conformance.md is made of that. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { laneSummary, type Report } from '@fep-moe/conformance'

/** Writes `LANE.json` into the folder that FEP_MOE_REPORTS names; nothing where it names none. */
export const saveReport = (lane: string) => (report: Report) => {
  const folder = process.env.FEP_MOE_REPORTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${lane}.json`)
  writeFileSync(`${path}.tmp`, JSON.stringify(laneSummary(lane, report)))
  renameSync(`${path}.tmp`, path)
}

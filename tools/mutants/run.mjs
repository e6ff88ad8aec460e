// Plants one fault after the other and runs the conformance suite on it: a suite is worth what it catches. Sources are
// bundled with the fault substituted on the way, so no file is touched. Prints which cases caught each fault; exits 1
// where more than one survives. `npm run -s mutants [-- ID…] [--json]`
import { parseArgs } from 'node:util'
import { setup } from '../scripts/setup.mjs'
import { faults } from './faults.mjs'
import { ENOUGH, runLane } from './lane.mjs'

/** Faults that may survive. */
const ALLOWED = 1

const { values: flags, positionals } = parseArgs({
  options: { json: { type: 'boolean' } },
  allowPositionals: true,
})

await setup({ build: false })
const chosen = positionals.length > 0 ? faults.filter(({ id }) => positionals.includes(id)) : faults
const unknown = positionals.find((id) => !faults.some((fault) => fault.id === id))
if (unknown)
  throw new Error(`there is no fault '${unknown}'; they are ${faults.map(({ id }) => id).join(', ')}`)
await controls(new Set(chosen.map(({ lane }) => lane)))
const outcomes = []
for (const fault of chosen) {
  const caught = await runLane(fault.lane, fault)
  outcomes.push({ ...fault, caught })
  if (!flags.json) console.log(line(fault, caught))
}
const survivors = outcomes.filter(({ caught }) => caught.length === 0)
if (flags.json) console.log(JSON.stringify(outcomes, null, 2))
console.log(`${outcomes.length - survivors.length} of ${outcomes.length} faults caught`)
process.exitCode = survivors.length > ALLOWED ? 1 : 0

/** Without a fault nothing may fail: otherwise every fault would seem caught. */
async function controls(lanes) {
  for (const lane of lanes) {
    const failed = await runLane(lane)
    if (failed.length > 0) throw new Error(`the lane ${lane} fails without a fault: ${failed.join(', ')}`)
    if (!flags.json) console.log(`${lane}: passes without a fault`)
  }
}

function line({ id, what, lane }, caught) {
  const by =
    caught.length === 0 ? 'SURVIVED' : `caught by ${caught.join(', ')}${caught.length >= ENOUGH ? ', …' : ''}`
  return `${id} (${what}; ${lane}): ${by}`
}

/** Cases of one operator: a number that is not finite in one element of each operand in turn. */
import type { OpName, Tensor } from '@fep-moe/core'
import { graphOf, typesOf } from '../frame/build.js'
import type { ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { dependents, type Marks, overLanes, type Place, placesOf, planted } from './planting.js'
import { type Judged, judgedOf } from './policy.js'
import { SPECIALS, type Special, type Subject, type Tensors } from './subject.js'

/** The cases of a subject, one per number. */
export function subjectCases(op: OpName, subject: Subject): ProcedureCase[] {
  const specials = subject.specials ?? (Object.keys(SPECIALS) as Special[])
  return specials.map((special) => ({
    kind: 'procedure',
    id: `non-finite/${op}/${subject.what}/${special}`,
    group: 'non-finite',
    tolerance: subject.tolerance,
    note: 'everything where the backend promises IEEE 754, else what does not depend on the number',
    check: (probe) => checkSubject(probe, op, subject, special),
  }))
}

async function checkSubject(probe: Probe, op: OpName, subject: Subject, special: Special): Promise<void> {
  const graph = graphOf(`${op}/${subject.what}`, typesOf(subject.feeds), subject.body)
  const judged = judgedOf(graph, probe.backend.capabilities)
  const program = await probe.backend.compile(graph)
  try {
    for (const place of placesOf(subject)) {
      const feeds = planted(subject.feeds, place, SPECIALS[special])
      const want = subject.formula(feeds)
      const open = openElements(subject, place, special, judged, want)
      const fetched = await program.run(feeds)
      for (const [name, expected] of Object.entries(want)) {
        const result = probe.present(`output '${name}'`, fetched[name])
        const data = (await result.read()).slice() as Tensor['data']
        if (subject.unordered && result.dtype === 'int32')
          checkIndices(probe, name, data, laneLength(subject))
        for (let i = 0; i < data.length; i++) if (open[name]?.[i]) data[i] = expected.data[i] as number
        const { dtype, shape } = result
        await probe.compare(`${name} with ${place.feed}[${place.index}]`, { dtype, shape, data }, expected)
      }
    }
  } finally {
    program.dispose()
  }
}

/** Steps of a lane of the one operand that an unordered operator has. */
function laneLength({ feeds, lane }: Subject): number {
  const [x] = Object.values(feeds)
  return x?.shape[lane ?? 0] ?? 0
}

/** Whatever was chosen, it is an element of the lane. */
function checkIndices(probe: Probe, name: string, data: Tensor['data'], length: number): void {
  const inLane = data.every((index: number) => index >= 0 && index < length)
  probe.check(inLane, `${name} must lie in 0..${length - 1}, found ${Array.from(data).join(', ')}`)
}

/** The elements that may be anything. */
function openElements(
  subject: Subject,
  place: Place,
  special: Special,
  judged: Judged,
  results: Tensors,
): Marks {
  const unordered = subject.unordered === true && special === 'nan'
  if (judged === 'all' && !unordered) return {}
  const own = dependents(subject, place)
  const wide = subject.lane !== undefined && (unordered || judged === 'other-lanes')
  return wide ? overLanes(own, results, subject.lane as number) : own
}

/**
 * Properties as cases: a statement that holds for every gate, tried on random ones from a fixed seed. What fails is made
 * smaller by fast-check, and the message has the smallest gate that fails and how to bring it back.
 */
import * as fc from 'fast-check'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { declaredSlack } from '../frame/declared-accuracy.js'
import { CaseFailure, DeclaredUnsupported } from '../frame/failure.js'
import { Probe } from '../frame/probe.js'

/** A statement about random things. */
export interface Property<T> {
  readonly id: string
  readonly seed: number
  /** Default 20. */
  readonly runs?: number
  /** What is stated, and within which tolerance. */
  readonly note: string
  readonly things: fc.Arbitrary<T>
  /** Says it for one thing, on a probe of its own. */
  holds(probe: Probe, thing: T): Promise<void>
}

const RUNS = 20
/** Most runs that the search for a smaller counterexample takes. */
const SHRINKING = 200

/** Makes the case. */
export function propertyCase<T>(property: Property<T>): ProcedureCase {
  const { id, seed, note } = property
  return {
    kind: 'procedure',
    id: `properties/${id}`,
    group: 'properties',
    seed,
    tolerance: EXACT,
    note,
    check: (probe) => tryAll(probe, property),
  }
}

async function tryAll<T>(probe: Probe, property: Property<T>): Promise<void> {
  const { seed, runs = RUNS, things } = property
  let [ran, unsupported] = [0, '']
  let attempts = 0
  const statement = fc.asyncProperty(things, async (thing) => {
    if (attempts++ > runs + SHRINKING) return
    try {
      await tryOne(probe, property, thing)
      ran++
    } catch (error) {
      // Other things may do without what the executor lacks.
      if (!(error instanceof DeclaredUnsupported)) throw error
      unsupported = error.message
    }
  })
  const details = await fc.check(statement, { seed, numRuns: runs })
  if (details.failed) {
    const smallest = JSON.stringify((details.counterexample as [T])[0], null, 1)
    throw new CaseFailure(
      `${messageOf(details.errorInstance)}\nfor ${smallest}\n(fast-check seed ${details.seed}, path '${details.counterexamplePath}')`,
    )
  }
  if (ran === 0) throw new DeclaredUnsupported(unsupported)
}

/** One thing on a probe of its own, with the slack that the executor's declared accuracy gives this very thing. */
async function tryOne<T>(outer: Probe, property: Property<T>, thing: T): Promise<void> {
  const lane = { backend: outer.backend, create: () => outer.create() }
  const single: ProcedureCase = {
    kind: 'procedure',
    id: `gates/${property.id}`,
    group: 'gates',
    tolerance: EXACT,
    check: (probe) => property.holds(probe, thing),
  }
  const probe = new Probe(lane, EXACT)
  await property.holds(probe, thing)
  if (probe.exceeds) probe.settle(await declaredSlack(single, outer.backend.capabilities))
  outer.checks += probe.checks
  const { worst } = probe
  if (worst && !(worst.ratio <= 1))
    throw new CaseFailure(`${worst.where}, ${worst.error} apart; allowed: ${worst.tolerance}`)
  if (worst && (outer.worst === undefined || worst.ratio > outer.worst.ratio)) outer.worst = worst
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as { code?: string }
  return code ? `${code}: ${error.message}` : error.message
}

/**
 * Error that an executor's declared accuracy propagates through a case. The case is run on the float64 reference, once as
 * it is and a few times with the declared errors put in; twice the largest change of a comparison's residual is allowed
 * on top of the tolerance, element by element. Executors that declare nothing get nothing.
 */
import type { Capabilities } from '@fep-moe/core'
import type { ConformanceCase, Group } from './case.js'
import { disturbedReference } from './disturbed.js'
import { execute } from './execute.js'
import { Probe } from './probe.js'

/** Extra tolerance of the comparisons of a case, in the order in which they are made. */
export type Slack = readonly (ArrayLike<number> | undefined)[]

const DISTURBED_RUNS = 3

/** Cases that compute nothing inexact, or that account for declared accuracies themselves. */
const WITHOUT: readonly Group[] = ['lifecycle', 'properties', 'fuzz']

/** Undefined where nothing is declared, or the case needs nothing on top. */
export async function declaredSlack(
  testCase: ConformanceCase,
  capabilities: Capabilities,
): Promise<Slack | undefined> {
  if (WITHOUT.includes(testCase.group) || Object.keys(capabilities.accuracy).length === 0) return undefined
  const exact = await residuals(testCase, capabilities)
  const slack = exact.map((residual) => new Float64Array(residual.length))
  for (let seed = 1; seed <= DISTURBED_RUNS; seed++) {
    const disturbed = await residuals(testCase, capabilities, seed)
    slack.forEach((most, k) => {
      for (let i = 0; i < most.length; i++) {
        const change = 2 * Math.abs((disturbed[k]?.[i] as number) - (exact[k]?.[i] as number))
        if (change > (most[i] as number)) most[i] = change
      }
    })
  }
  return slack
}

/** got − want of every comparison that the case makes. */
async function residuals(
  testCase: ConformanceCase,
  capabilities: Capabilities,
  seed?: number,
): Promise<Float64Array[]> {
  const found: Float64Array[] = []
  const create = async () => disturbedReference(capabilities, seed)
  const probe = new Probe({ backend: await create(), create }, testCase.tolerance, {
    observe: (got, want) => found.push(Float64Array.from(want.data, (w, i) => (got.data[i] as number) - w)),
  })
  try {
    await execute(testCase, probe)
  } catch {
    // What comes after a case's own failure has no slack.
  }
  await probe.backend.dispose()
  return found
}

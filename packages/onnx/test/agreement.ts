/** Runs a graph here and on the reference in double precision, and measures how far apart they are. */
import {
  type Backend,
  type DeviceTensor,
  type Feeds,
  type Graph,
  type Program,
  type Tensor,
  toHost,
} from '@fep-moe/core'
import { expect } from 'vitest'

/** Largest difference, relative to the largest magnitude of the result (at least 1). */
export function difference(ours: Tensor, truth: Tensor): number {
  expect([ours.dtype, [...ours.shape]]).toEqual([truth.dtype, [...truth.shape]])
  let scale = 1
  for (const value of truth.data) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value))
  let worst = 0
  truth.data.forEach((value: number, i: number) => {
    const own = ours.data[i] as number
    if (Object.is(own, value) || own === value) return
    worst = Math.max(
      worst,
      Number.isNaN(own - value) ? Number.POSITIVE_INFINITY : Math.abs(own - value) / scale,
    )
  })
  return worst
}

/** Runs both and expects every output within the tolerance; integers and booleans must be equal. */
export async function expectAgreement(
  program: Program,
  reference: Backend,
  graph: Graph,
  feeds: Feeds,
  tolerance: number,
): Promise<void> {
  const truthProgram = await reference.compile(graph)
  const [ours, truth] = [await program.run(feeds), await truthProgram.run(feeds)]
  expect(Object.keys(ours).sort()).toEqual(Object.keys(truth).sort())
  for (const [name, value] of Object.entries(truth)) {
    const host = await toHost(ours[name] as DeviceTensor)
    const worst = difference(host, await toHost(value))
    expect(worst, `${graph.name}: output '${name}'`).toBeLessThanOrEqual(
      host.dtype === 'float32' ? tolerance : 0,
    )
  }
  truthProgram.dispose()
}

/** Mistakes of a caller: the code says which kind, and the program works afterwards. */
import type { Feeds } from '@fep-moe/core'
import { graphOf } from '../frame/build.js'
import { f, i } from '../frame/data.js'
import { lifecycleCase, withProgram } from './case.js'
import { affine, counter } from './graphs.js'

const good = { x: f([1, 2]), c: f([3]) }

const BAD: Readonly<Record<string, Feeds>> = {
  missing: { x: good.x },
  unknown: { ...good, extra: f([1]) },
  'wrong-dtype': { ...good, x: i([1, 2]) },
  'wrong-shape': { ...good, x: f([1, 2, 3]) },
  'wrong-rank': { ...good, x: f([[1, 2]]) },
  'scalar-for-a-vector': { ...good, c: f(3) },
  'wrong-length': { ...good, x: { dtype: 'float32', shape: [2], data: new Float32Array(3) } },
  'wrong-array': { ...good, x: { dtype: 'float32', shape: [2], data: new Int32Array(2) } },
  'a-plain-array': { ...good, x: [1, 2] as never },
  'a-number': { ...good, c: 3 as never },
  null: { ...good, c: null as never },
  'no-data': { ...good, x: { dtype: 'float32', shape: [2] } as never },
}

export const badFeeds = [
  ...Object.entries(BAD).map(([what, feeds]) =>
    lifecycleCase(`bad-feeds/${what}`, (probe) =>
      withProgram(probe, affine(2), async (program) => {
        await probe.rejects('FEP_BAD_FEED', `a run with ${what}`, () => program.run(feeds))
        const out = { y: f([0, 0]), s: f(0) }
        await probe.rejects('FEP_BAD_FEED', `runInto with ${what}`, () => program.runInto(feeds, out))
        await probe.compare('y of the next run', probe.present('y', (await program.run(good)).y), f([5, 7]))
      }),
    ),
  ),
  lifecycleCase('bad-feeds/batch-sizes-disagree', async (probe) => {
    const graph = graphOf(
      'pair',
      { a: { dtype: 'float32', shape: ['batch', 2] }, b: { dtype: 'float32', shape: ['batch'] } },
      ({ a, b }) => ({ a, b }),
    )
    await withProgram(probe, graph, async (program) => {
      const feeds = { a: f([1, 2, 3, 4], [2, 2]), b: f([1, 2, 3]) }
      await probe.rejects('FEP_BAD_FEED', 'feeds whose batch sizes disagree', () => program.run(feeds))
    })
  }),
  lifecycleCase('bad-feeds/batch-is-no-multiple', async (probe) => {
    const graph = graphOf('doubled', { a: { dtype: 'float32', shape: ['2*batch'] } }, ({ a }) => ({ a }))
    await withProgram(probe, graph, async (program) => {
      await probe.rejects('FEP_BAD_FEED', 'three elements for 2*batch', () =>
        program.run({ a: f([1, 2, 3]) }),
      )
      await probe.compare(
        'a',
        probe.present('a', (await program.run({ a: f([1, 2, 3, 4]) })).a),
        f([1, 2, 3, 4]),
      )
    })
  }),
  lifecycleCase('bad-feeds/integers-for-floats-in-a-state', (probe) =>
    withProgram(probe, counter(), async (program) => {
      const feeds = { count: f(0), total: f([0, 0]), x: f([0, 0]) }
      await probe.rejects('FEP_BAD_FEED', 'a float32 feed for an int32 input', () => program.run(feeds))
    }),
  ),
]

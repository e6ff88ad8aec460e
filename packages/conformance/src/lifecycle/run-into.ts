/** runInto: results in memory that the caller owns. */
import { f, i } from '../frame/data.js'
import { lifecycleCase, withProgram } from './case.js'
import { affine, counter, filled } from './graphs.js'

const feeds = { x: f([1, 2]), c: f([3]) }

export const runInto = [
  lifecycleCase('run-into/all-outputs', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const out = { y: filled(2, -1), s: f(-1) }
      const returned = program.runInto(feeds, out)
      probe.check(
        program.sync || !probe.backend.capabilities.sync,
        'capabilities.sync is true, so every program must be synchronous',
      )
      probe.check(
        !program.sync || returned === undefined,
        'the program is synchronous, so runInto must not return a promise',
      )
      await returned
      await probe.compare('y', out.y, f([5, 7]))
      await probe.compare('s', out.s, f(12))
    }),
  ),
  lifecycleCase('run-into/some-outputs', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const out = { s: f(0) }
      await program.runInto(feeds, out)
      await probe.compare('s', out.s, f(12))
    }),
  ),
  lifecycleCase('run-into/the-same-memory-again', (probe) =>
    withProgram(probe, counter(), async (program) => {
      const state = { count: i(0), total: f([0, 0]) }
      // Feeds and results share memory: what is read must be read before it is written.
      for (let step = 0; step < 5; step++) await program.runInto({ ...state, x: f([2, 3]) }, state)
      await probe.compare('count', state.count, i(5))
      await probe.compare('total', state.total, f([10, 15]))
    }),
  ),
  lifecycleCase('run-into/bad-results', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const bad = {
        'an unknown name': { z: f([0, 0]) },
        'a wrong shape': { y: f([0, 0, 0]) },
        'a wrong rank': { s: f([0]) },
        'a wrong dtype': { y: i([0, 0]) },
      }
      for (const [what, out] of Object.entries(bad)) {
        await probe.rejects('FEP_BAD_FEED', `runInto with ${what}`, () =>
          program.runInto(feeds, out as never),
        )
      }
    }),
  ),
  lifecycleCase('run-into/while-a-run-is-under-way', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const run = program.run({ x: f([10, 20]), c: f([0]) })
      // Where the case fails before it awaits the run, the run's own failure is nobody's.
      run.catch(() => undefined)
      const out = { y: filled(2, 0), s: f(0) }
      const into = () => program.runInto(feeds, out)
      if (program.sync) await probe.rejects('FEP_BUSY', 'a synchronous run during another', into)
      else {
        await into()
        await probe.compare('y', out.y, f([5, 7]))
      }
      await probe.compare('y of the first run', probe.present('y', (await run).y), f([20, 40]))
    }),
  ),
]

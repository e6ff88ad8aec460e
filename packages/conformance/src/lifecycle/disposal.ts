/** Disposal: idempotent, final, and never in the way of a run that has begun. */
import { f } from '../frame/data.js'
import { lifecycleCase, withBackend, withProgram } from './case.js'
import { affine, filled } from './graphs.js'

const feeds = { x: f([1, 2]), c: f([3]) }

export const disposal = [
  lifecycleCase('backend/dispose-twice', (probe) =>
    withBackend(probe, async (backend) => {
      await backend.dispose()
      await backend.dispose()
      probe.check(true, 'a second dispose is no error')
    }),
  ),
  lifecycleCase('backend/compile-after-dispose', (probe) =>
    withBackend(probe, async (backend) => {
      await backend.dispose()
      await probe.rejects('FEP_DISPOSED', 'compile on a disposed backend', () => backend.compile(affine(2)))
    }),
  ),
  lifecycleCase('backend/dispose-disposes-programs', (probe) =>
    withBackend(probe, async (backend) => {
      const program = await backend.compile(affine(2))
      await program.run(feeds)
      await backend.dispose()
      await probe.rejects('FEP_DISPOSED', 'run after the backend was disposed', () => program.run(feeds))
      program.dispose()
    }),
  ),
  lifecycleCase('backend/two-instances-are-independent', (probe) =>
    withBackend(probe, async (first) => {
      await withBackend(probe, async (second) => {
        const program = await second.compile(affine(2))
        await first.dispose()
        await probe.compare('y', probe.present('y', (await program.run(feeds)).y), f([5, 7]))
      })
    }),
  ),
  lifecycleCase('program/dispose-twice', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      program.dispose()
      program.dispose()
      probe.check(true, 'a second dispose is no error')
    }),
  ),
  lifecycleCase('program/run-after-dispose', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      program.dispose()
      await probe.rejects('FEP_DISPOSED', 'run of a disposed program', () => program.run(feeds))
      const out = { y: filled(2, 0), s: f(0) }
      await probe.rejects('FEP_DISPOSED', 'runInto of a disposed program', () => program.runInto(feeds, out))
    }),
  ),
  lifecycleCase('program/dispose-during-a-run', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const run = program.run(feeds)
      program.dispose()
      await probe.compare('y', probe.present('y', (await run).y), f([5, 7]))
    }),
  ),
  lifecycleCase('program/others-survive', (probe) =>
    withProgram(probe, affine(2), async (first) => {
      await withProgram(probe, affine(2), async (second) => {
        first.dispose()
        await probe.compare('y', probe.present('y', (await second.run(feeds)).y), f([5, 7]))
      })
    }),
  ),
  lifecycleCase('result/outlives-its-program', async (probe) => {
    const program = await probe.backend.compile(affine(2))
    const { y, s } = await program.run(feeds)
    program.dispose()
    await probe.compare('y', probe.present('y', y), f([5, 7]))
    await probe.compare('s', probe.present('s', s), f(12))
    y?.dispose()
    s?.dispose()
  }),
]

/** Runs: many of them, at once, and their results fed back. */
import type { DeviceTensor, Fetches, Tensor } from '@fep-moe/core'
import { f, i } from '../frame/data.js'
import { lifecycleCase, withProgram } from './case.js'
import { affine, counter, filled, negative, squares } from './graphs.js'

const release = (fetched: Fetches) => Object.values(fetched).forEach((t) => t.dispose())
const pick = (fetched: Fetches, name: string): DeviceTensor => fetched[name] as DeviceTensor

/** Resident memory in bytes, where the host can tell. */
function residentMemory(): number | undefined {
  const host = (globalThis as { process?: { memoryUsage?: () => { rss: number } } }).process
  return host?.memoryUsage?.().rss
}

const ROUNDS = 8
const RUNS_PER_ROUND = 250
/**
 * 512 KiB per result: keeping every one would take 128 MiB in each round, several times what a garbage collector lets
 * lie about, so that it must have run in every round.
 */
const LENGTH = 131072
const LEAK = (RUNS_PER_ROUND * LENGTH * 4) / 2

export const runs = [
  lifecycleCase(
    'runs/2000-without-growth',
    (probe) =>
      withProgram(probe, negative(LENGTH), async (program) => {
        const feeds = { x: filled(LENGTH, 1) }
        const marks: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          for (let run = 0; run < RUNS_PER_ROUND; run++) release(await program.run(feeds))
          marks.push(residentMemory() ?? 0)
        }
        const growth = marks.slice(1).map((mark, k) => mark - (marks[k] as number))
        // Pools, caches and garbage grow in some rounds and shrink in others; a leak grows in nearly all of them.
        const median = [...growth].sort((a, b) => a - b)[growth.length >> 1] as number
        probe.check(
          median < LEAK,
          `resident memory grew by ${median} bytes in a typical round of ${RUNS_PER_ROUND} runs`,
        )
        await probe.compare('y', pick(await program.run(feeds), 'y'), filled(LENGTH, -1))
      }),
    'where the host does not tell its memory, only the runs themselves are checked',
  ),
  lifecycleCase('runs/results-stay-valid', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const first = await program.run({ x: f([1, 2]), c: f([3]) })
      const second = await program.run({ x: f([10, 20]), c: f([0]) })
      await probe.compare('first y', pick(first, 'y'), f([5, 7]))
      await probe.compare('second y', pick(second, 'y'), f([20, 40]))
      await probe.compare('first y again', pick(first, 'y'), f([5, 7]))
      release(first)
      await probe.compare('second s', pick(second, 's'), f(60))
      release(second)
    }),
  ),
  lifecycleCase('runs/feeds-are-neither-changed-nor-kept', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const feeds = { x: f([1, 2]), c: f([3]) }
      const fetched = await program.run(feeds)
      await probe.compare('x', feeds.x, f([1, 2]))
      feeds.x.data.fill(100)
      await probe.compare('y', pick(fetched, 'y'), f([5, 7]))
      release(fetched)
    }),
  ),
  lifecycleCase('runs/a-result-feeds-the-next-run', (probe) =>
    withProgram(probe, counter(), async (program) => {
      const x = f([1, -2])
      let state: Fetches | undefined
      for (let step = 0; step < 10; step++) {
        const next = await program.run({
          count: state ? pick(state, 'count') : i(0),
          total: state ? pick(state, 'total') : f([0, 0]),
          x,
        })
        if (state) release(state)
        state = next
      }
      await probe.compare('count', pick(state as Fetches, 'count'), i(10))
      await probe.compare('total', pick(state as Fetches, 'total'), f([10, -20]))
    }),
  ),
  lifecycleCase('runs/a-result-feeds-two-programs', (probe) =>
    withProgram(probe, affine(3), async (first) => {
      await withProgram(probe, squares(), async (second) => {
        const { y } = await first.run({ x: f([0, 1, 2]), c: f([1]) })
        const again = await first.run({ x: y as DeviceTensor, c: f([0]) })
        await probe.compare('doubled', pick(again, 'y'), f([2, 6, 10]))
        const rows = await second.run({
          x: { dtype: 'float32', shape: [1, 3], data: await (y as DeviceTensor).read() },
        })
        await probe.compare('squares', pick(rows, 'y'), f([[1, 9, 25]]))
        await probe.compare('the feed itself', y as DeviceTensor, f([1, 3, 5]))
      })
    }),
  ),
  lifecycleCase('runs/one-program-concurrently', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const order: number[] = []
      const results = await Promise.all(
        Array.from({ length: 8 }, async (_, k) => {
          const fetched = await program.run({ x: f([k, -k]), c: f([k]) })
          order.push(k)
          return fetched
        }),
      )
      for (const [k, fetched] of results.entries())
        await probe.compare(`y of run ${k}`, pick(fetched, 'y'), f([3 * k, -k]))
      probe.check(order.join() === '0,1,2,3,4,5,6,7', `runs must finish in call order, not ${order.join()}`)
    }),
  ),
  lifecycleCase('runs/two-programs-concurrently', (probe) =>
    withProgram(probe, affine(2), async (first) => {
      await withProgram(probe, squares(), async (second) => {
        for (let k = 0; k < 4; k++) {
          const [a, b] = await Promise.all([
            first.run({ x: f([k, k]), c: f([1]) }),
            second.run({ x: f([[k, 2, 3]]) }),
          ])
          await probe.compare('affine', pick(a, 'y'), f([2 * k + 1, 2 * k + 1]))
          await probe.compare('squares', pick(b, 'y'), f([[k * k, 4, 9]]))
        }
      })
    }),
  ),
  lifecycleCase('runs/a-failed-run-does-not-block', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const [bad, good] = await Promise.allSettled([
        program.run({ x: f([1]), c: f([3]) }),
        program.run({ x: f([1, 2]), c: f([3]) }),
      ])
      probe.check(bad.status === 'rejected', 'a run with a wrong shape must be rejected')
      const value = probe.present(
        'the result of the run after it',
        good.status === 'fulfilled' ? good.value : undefined,
      )
      await probe.compare('y', pick(value, 'y'), f([5, 7]))
    }),
  ),
  lifecycleCase('runs/batch-sizes-in-any-order', (probe) =>
    withProgram(probe, squares(), async (program) => {
      // More sizes than a per-size cache keeps, and back to the first.
      for (const batch of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 5]) {
        const x: Tensor = {
          dtype: 'float32',
          shape: [batch, 3],
          data: Float32Array.from({ length: 3 * batch }, (_, k) => k),
        }
        const fetched = await program.run({ x })
        await probe.compare(
          `rows of ${batch}`,
          pick(fetched, 'rows'),
          f(Array.from({ length: batch }, (_, r) => 9 * r + 3)),
        )
        release(fetched)
      }
    }),
  ),
  lifecycleCase('runs/batch-sizes-concurrently', (probe) =>
    withProgram(probe, squares(), async (program) => {
      const sizes = [3, 1, 2, 3, 1]
      const results = await Promise.all(
        sizes.map((batch) =>
          program.run({
            x: { dtype: 'float32', shape: [batch, 3], data: new Float32Array(3 * batch).fill(batch) },
          }),
        ),
      )
      for (const [k, fetched] of results.entries()) {
        const batch = sizes[k] as number
        await probe.compare(`rows of ${batch}`, pick(fetched, 'rows'), filled(batch, 3 * batch))
      }
    }),
  ),
]

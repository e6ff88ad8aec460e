import { bindInputs, createGate, type HostFetches, type Tensor, zeros } from '@fep-moe/core'
import { expect, it } from 'vitest'
import { compileProgram } from '../src/program.js'
import { lowered, wave } from './graphs.js'

const RUNS = 10_000
/** What measuring takes by itself; one number of 16 bytes per run would be 160 kB. */
const NOISE = 64_000
const TRIALS = 60

/**
 * True once three trials in a row leave the heap as it was. Code that allocates grows it in every trial, or shrinks it
 * where the collector runs; code that does not settles as soon as the compiler has optimized it.
 */
function settles(run: () => void): boolean {
  let quiet = 0
  for (let trial = 0; trial < TRIALS && quiet < 3; trial++) {
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < RUNS; i++) run()
    const growth = process.memoryUsage().heapUsed - before
    quiet = growth >= 0 && growth < NOISE ? quiet + 1 : 0
  }
  return quiet === 3
}

it.each(['fed', 'bound'])('runInto allocates nothing where parameters are %s', (way) => {
  const gate = createGate({
    dim: 4,
    experts: 3,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'additive', width: 8 },
    select: { kind: 'top-k', k: 2 },
  })
  const graph = gate.graph({ steps: 1, state: true })
  const params = gate.init({ seed: 1 })
  const program = compileProgram(lowered(way === 'fed' ? graph : bindInputs(graph, params)))
  const feeds = { ...(way === 'fed' ? params : {}), x: wave([1, 1, 4]), 'state/memory': zeros([1, 4]) }
  const out = program.run(feeds) as unknown as HostFetches
  expect(settles(() => program.runInto?.(feeds, out))).toBe(true)
  // The measure notices the smallest thing that a run could leave behind.
  const kept: { last?: Tensor } = {}
  const allocates = () => {
    program.runInto?.(feeds, out)
    kept.last = { ...(out.weights as Tensor) }
  }
  expect(settles(allocates)).toBe(false)
  program.dispose()
})

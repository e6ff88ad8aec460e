import { adam, createGate } from '@fep-moe/core'
import { type Buffer, wholeView } from '@fep-moe/core/lowering'
import { jsBackend } from '@fep-moe/js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Kernel, Module, Stage } from '../src/ir/module.js'
import { lowerGraph } from '../src/lower/lower-graph.js'
import { bytesOf, lifetimesOf, planMemory } from '../src/plan.js'
import { lowered } from './graphs.js'

const DTYPES = ['float32', 'int32', 'bool', 'float64'] as const
const buffer = (name: string, length: number, dtype: Buffer['dtype']): Buffer => ({
  name,
  kind: 'memory',
  dtype,
  length,
})

/** Every pair that lives at one time lies apart. */
function expectApart(lifetimes: ReturnType<typeof lifetimesOf>): void {
  const { bytes, offsets } = planMemory(lifetimes)
  const all = [...lifetimes].map(([b, life]) => {
    const from = offsets.get(b) as number
    return { life, from, to: from + bytesOf(b) }
  })
  for (const [i, a] of all.entries()) {
    expect(a.from % 8).toBe(0)
    expect(a.to).toBeLessThanOrEqual(bytes)
    for (const b of all.slice(i + 1)) {
      if (a.life.first <= b.life.last && b.life.first <= a.life.last)
        expect(a.to <= b.from || b.to <= a.from).toBe(true)
    }
  }
}

describe('planMemory', () => {
  it('never lets two live buffers overlap', () => {
    const life = fc
      .tuple(fc.nat(20), fc.nat(20))
      .map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }))
    const entry = fc.tuple(fc.nat(200), fc.constantFrom(...DTYPES), life)
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        expectApart(new Map(entries.map(([n, dtype, l], i) => [buffer(`b${i}`, n, dtype), l])))
      }),
    )
  })

  it('reuses memory as far as it can where sizes are equal', () => {
    const chain = new Map(
      Array.from({ length: 50 }, (_, i) => [buffer(`b${i}`, 64, 'float32'), { first: i, last: i + 1 }]),
    )
    expect(planMemory(chain).bytes).toBe(2 * 256)
  })
})

describe('lifetimesOf', () => {
  /** Runs stages and tells every touch, loops unrolled. */
  function trace(stages: readonly Stage[], touch: (kernel: Kernel, time: number) => void): void {
    let time = 0
    const visit = (list: readonly Stage[]): void => {
      for (const stage of list) {
        if (stage.kind === 'kernel') touch(stage, time++)
        else for (let step = 0; step < stage.steps; step++) visit(stage.body)
      }
    }
    visit(stages)
  }

  /** In a run, bytes that a kernel reads hold what the last writer of that buffer left there. */
  function expectSound(module: Module): void {
    const { offsets } = planMemory(lifetimesOf(module))
    const owner = new Map<number, Buffer>()
    const seen = new Set<Buffer>()
    // A buffer that is first touched in a step of a loop and only there starts afresh in every step.
    const shared = new Set(outsideOf(module.stages))
    for (const { view } of module.outputs) shared.add(view.buffer)
    trace(module.stages, (kernel) => {
      for (const b of kernel.buffers) {
        if (b.kind !== 'memory') continue
        const from = offsets.get(b) as number
        for (let at = from; at < from + bytesOf(b); at += 64) {
          if (shared.has(b) && seen.has(b)) expect(owner.get(at)).toBe(b)
          owner.set(at, b)
        }
        seen.add(b)
      }
    })
    for (const { view } of module.outputs) {
      const from = offsets.get(view.buffer) as number
      for (let at = from; at < from + bytesOf(view.buffer); at += 64) expect(owner.get(at)).toBe(view.buffer)
    }
  }

  const outsideOf = (stages: readonly Stage[]): Buffer[] =>
    stages.flatMap((stage) => (stage.kind === 'kernel' ? [...stage.buffers] : []))

  const kernel = (name: string, ...buffers: Buffer[]): Kernel => ({
    kind: 'kernel',
    name,
    label: name,
    buffers: new Set(buffers),
    variables: [],
    body: '',
  })

  it('what a loop shares with the outside survives all its steps', () => {
    const [state, result, local, outer] = ['b0', 'b1', 'b2', 'b3'].map((n) => buffer(n, 16, 'float32')) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ]
    const module: Module = {
      name: 'loop',
      stages: [
        kernel('k0', state),
        kernel('k1', outer),
        {
          kind: 'loop',
          variable: 't0',
          steps: 3,
          reverse: false,
          body: [
            kernel('k2', local, state),
            kernel('k3', outer, local),
            kernel('k4', result),
            kernel('k5', state),
          ],
        },
      ],
      feeds: new Map(),
      constants: [],
      matrices: [],
      memory: [state, result, local, outer],
      outputs: [{ name: 'y', dtype: 'float32', shape: [16], view: wholeView(result, [16]) }],
    }
    const lifetimes = lifetimesOf(module)
    const [start, end] = [2, 6]
    for (const b of [state, outer, result]) {
      expect(lifetimes.get(b)?.first).toBeLessThanOrEqual(start)
      expect(lifetimes.get(b)?.last).toBeGreaterThanOrEqual(end)
    }
    expect(lifetimes.get(local)).toEqual({ first: 2, last: 3 })
    expectSound(module)
  })

  it('is sound for a gate, forward and in training', async () => {
    const gate = createGate({
      dim: 6,
      experts: 4,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'additive', width: 8 },
      select: { kind: 'top-k', k: 2 },
    })
    const backend = await jsBackend()
    const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: adam({ lr: 0.01 }) })
    for (const graph of [gate.graph({ steps: 5 }), trainer.stepGraph(5)]) {
      const module = lowerGraph(lowered(graph, 3))
      expectApart(lifetimesOf(module))
      expectSound(module)
      const total = module.memory.reduce((n, b) => n + bytesOf(b), 0)
      expect(planMemory(lifetimesOf(module)).bytes).toBeLessThan(total / 2)
    }
    await backend.dispose()
  })
})

import { adam, type Graph, ops, type Value } from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Block, Kernel, Module, Stage } from '../src/ir/module.js'
import { placeModule, wordsOf } from '../src/lower/dispatches.js'
import { lowerGraph } from '../src/lower/lower-graph.js'
import { toDispatches } from '../src/to-wgsl.js'
import { capped, gate, graphOf, leaky, lowered, rotating } from './graphs.js'

const dispatches = (graph: Graph, batch?: number) => toDispatches(lowered(graph, batch)).dispatches

let training: Graph
beforeAll(async () => {
  const backend = await jsBackend()
  const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: adam({ lr: 0.01 }) })
  training = trainer.stepGraph(5)
  await backend.dispose()
})

describe('fusion', () => {
  it('a chain of elementwise operators, moved and broadcast, is one dispatch', () => {
    const chain = graphOf('chain', { x: [6, 4], b: [4] }, ({ x, b }) => ({
      y: ops.tanh(ops.mul(ops.swapLast(ops.add(x, b)), 2)),
    }))
    expect(dispatches(chain)).toHaveLength(1)
  })

  it('operators that only move elements are none', () => {
    const moved = graphOf('moved', { x: [6, 4] }, ({ x }) => ({ y: ops.reshape(ops.slice(x, 0, 2, 4), [8]) }))
    const program = toDispatches(lowered(moved))
    expect(program.dispatches).toHaveLength(0)
    expect(program.outputs[0]).toMatchObject({ offset: (program.inputs[0]?.offset as number) + 8, count: 8 })
  })

  it('what a reduction, a softmax or a recurrence reads is computed there', () => {
    const fused = graphOf('fused', { x: [6, 4] }, ({ x }) => ({
      sum: ops.sum(ops.mul(x, x), 1),
      soft: ops.softmax(ops.mul(x, 0.5)),
    }))
    expect(dispatches(fused)).toHaveLength(2)
    // The decay is one for all lanes, so it is computed once; the last state is copied out of the states.
    const labels = dispatches(leaky(6, 9)).map(({ label }) => label.replace(/.*: /, ''))
    expect(labels).toEqual(['Sigmoid', 'LinearScan', 'copy'])
  })

  it('a value with two readers is computed once', () => {
    const shared = graphOf('shared', { x: [6] }, ({ x }) => {
      const e = ops.exp(x)
      return { y: ops.neg(e), z: ops.mul(e, 2) }
    })
    expect(dispatches(shared)).toHaveLength(3)
  })
})

describe('a recurrence', () => {
  it('by rows is one dispatch with a workgroup per row', () => {
    const [only, ...others] = dispatches(capped(3, 5, 0))
    expect(others).toEqual([])
    expect(only?.workgroups).toEqual([3, 1, 1])
  })

  it('of little work is one dispatch with one workgroup', () => {
    const [only, ...others] = dispatches(capped(3, 5, null))
    expect(others).toEqual([])
    expect(only?.workgroups).toEqual([1, 1, 1])
  })

  it('of much work is a dispatch per kernel and step, with the same kernels at every step', () => {
    const found = dispatches(rotating(64, 128, 6))
    expect(found.length).toBeGreaterThan(2 * 6)
    expect(new Set(found.map(({ wgsl }) => wgsl)).size).toBeLessThanOrEqual(5)
  })

  it('computes what is the same at every step once', () => {
    const body = graphOf('step', { u: [4], x: [4], w: [4] }, ({ u, x, w }) => {
      const next = ops.add(ops.mul(u, ops.exp(w)), x)
      return { u: next, y: next }
    })
    const graph = graphOf('fixed', { u: [4], xs: [9, 4], w: [4] }, ({ u, xs, w }) => {
      const { last, ys } = ops.scan(body, { init: [u], xs: [xs], consts: [w] }, { axis: 0 })
      return { last: last[0] as Value, ys: ys[0] as Value }
    })
    const [before, loop] = dispatches(graph)
    expect(before?.wgsl).toContain('exp_f32')
    expect(loop?.wgsl).not.toContain('exp_f32')
  })

  it('is split where it costs more than a dispatch may', () => {
    const count = (graph: Graph, mostCost: number) =>
      toDispatches(lowered(graph), { mostCost }).dispatches.filter(({ label }) => label.includes('Scan'))
        .length
    for (const graph of [leaky(6, 40), capped(3, 40, 0), capped(3, 40, null)]) {
      expect(count(graph, 2 ** 28)).toBeLessThanOrEqual(2)
      expect(count(graph, 2 ** 9)).toBeGreaterThan(4)
    }
  })
})

describe('text', () => {
  it('is equal for equal kernels, wherever their data lie', () => {
    const twice = graphOf('twice', { a: [5, 4], b: [5, 4] }, ({ a, b }) => ({
      x: ops.tanh(a),
      y: ops.softmax(ops.add(a, b)),
      z: ops.tanh(b),
    }))
    const [x, z] = dispatches(twice).filter(({ label }) => label.endsWith('Tanh'))
    expect(z?.wgsl).toBe(x?.wgsl)
    expect(z?.words).not.toEqual(x?.words)
    const alone = graphOf('alone', { other: [5, 4] }, ({ other }) => ({ result: ops.tanh(other) }))
    expect(dispatches(alone)[0]?.wgsl).toBe(x?.wgsl)
  })

  it('of a slice is that of another slice', () => {
    const slices = graphOf('slices', { a: [9, 4] }, ({ a }) => ({
      x: ops.exp(ops.slice(a, 0, 0, 3)),
      y: ops.exp(ops.slice(a, 0, 5, 8)),
    }))
    const [x, y] = dispatches(slices)
    expect(y?.wgsl).toBe(x?.wgsl)
  })
})

describe('limits of a device', () => {
  it('many workgroups go in rows', () => {
    const big = graphOf('big', { x: [1000, 64] }, ({ x }) => ({ y: ops.neg(x) }))
    const [only] = toDispatches(big, { maxWorkgroupsPerDimension: 64 }).dispatches
    expect(only?.workgroups).toEqual([64, 16, 1])
    expect(() => toDispatches(big, { maxWorkgroupsPerDimension: 8 })).toThrow(
      expect.objectContaining({ code: 'FEP_BACKEND_FAILED' }),
    )
  })
})

describe('memory', () => {
  /** Every pair that lives at one time lies apart. */
  function expectApart(module: Module): void {
    const { size, offsets, lifetimes } = placeModule(module)
    const all = [...lifetimes].map(([b, life]) => {
      const from = offsets.get(b) as number
      return { life, from, to: from + wordsOf(b) }
    })
    for (const [i, a] of all.entries()) {
      expect(a.from % 4).toBe(0)
      expect(a.to).toBeLessThanOrEqual(size)
      for (const b of all.slice(i + 1)) {
        if (a.life.first <= b.life.last && b.life.first <= a.life.last)
          expect(a.to <= b.from || b.to <= a.from).toBe(true)
      }
    }
  }

  /** Whatever a stage reads was written before, by the host or by a stage. */
  function expectDefined({ stages, inputs, constants }: Module): void {
    const known = new Set([
      ...inputs.map(({ view }) => view.buffer),
      ...constants.map(({ buffer }) => buffer),
    ])
    const visit = (list: readonly (Stage | Block | Kernel)[]): void => {
      for (const stage of list) {
        if (stage.kind === 'kernel') {
          for (const buffer of stage.reads) expect(known.has(buffer) || stage.writes.has(buffer)).toBe(true)
          for (const buffer of stage.writes) known.add(buffer)
        } else visit(stage.kind === 'loop' ? stage.body : [...stage.before, stage.loop])
      }
    }
    visit(stages)
  }

  it('never lets two live buffers overlap, and is reused', () => {
    for (const graph of [gate.graph({ steps: 5 }), training, rotating(4, 8, 3), capped(3, 5, 0)]) {
      const module = lowerGraph(lowered(graph, 3), 2 ** 28)
      expectApart(module)
      expectDefined(module)
    }
    const module = lowerGraph(lowered(training, 3), 2 ** 28)
    const { size, offsets } = placeModule(module)
    expect(size).toBeLessThan([...offsets.keys()].reduce((n, buffer) => n + wordsOf(buffer), 0) * 0.7)
  })

  it('inputs, outputs and constants lie in the arena, and nothing writes a constant', () => {
    const program = toDispatches(lowered(training, 3))
    for (const { offset, count } of [...program.inputs, ...program.outputs])
      expect(offset + count).toBeLessThanOrEqual(program.arenaWords)
    const module = lowerGraph(lowered(training, 3), 2 ** 28)
    const constants = new Set(module.constants.map(({ buffer }) => buffer))
    const visit = (stage: Stage): boolean =>
      stage.kind === 'kernel' ? [...stage.writes].some((b) => constants.has(b)) : false
    expect(module.stages.some(visit)).toBe(false)
  })
})

/** The fuzzer itself: what it draws is valid and complete, its bounds are sound, and sharp enough to find mistakes. */
import { fuzz } from '@fep-moe/conformance'
import {
  type Backend,
  composites,
  expandComposites,
  type Graph,
  GraphBuilder,
  makeArray,
  type NdArray,
  type OpName,
  ops,
  type PrimitiveName,
  primitives,
  printGraph,
  referenceBackend,
  tensor,
  verifyGraph,
} from '@fep-moe/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seedOf } from '../src/fuzz/attempt.js'
import { boundsOf } from '../src/fuzz/bounds/evaluate.js'
import { randomGates } from '../src/fuzz/gates/subject.js'
import { assemble } from '../src/fuzz/graphs/assemble.js'
import { type Recipe, recipes } from '../src/fuzz/graphs/recipe.js'
import { randomGraphs } from '../src/fuzz/graphs/subject.js'
import { excludedBy } from '../src/fuzz/graphs/table.js'
import type { Subject } from '../src/fuzz/subject.js'
import { SUITE_SEED } from '../src/fuzz/table.js'
import { MISTAKES, mutant, slightlyOff } from './mutants.js'

const SUITE_GRAPHS = 160

/** The recipes that the fuzzer draws for a seed. */
async function drawn(count: number, seed = SUITE_SEED): Promise<Recipe[]> {
  const found: Recipe[] = []
  for (let index = 0; index < count; index++)
    await fc.check(
      fc.asyncProperty(recipes, async (recipe) => {
        found.push(recipe)
      }),
      { seed: seedOf(seed, index), numRuns: 1 },
    )
  return found
}

/** Whether a wrong backend is found, and at which graph; without the search for a smaller one. */
async function foundAt<R>(subject: Subject<R>, backend: Backend, most = 200): Promise<number | undefined> {
  for (let index = 0; index < most; index++) {
    const property = fc.asyncProperty(subject.recipes, async (recipe) => {
      await subject.check(recipe, backend)
    })
    const { failed } = await fc.check(property, {
      seed: seedOf(SUITE_SEED, index),
      numRuns: 1,
      endOnFailure: true,
    })
    if (failed) return index
  }
  return undefined
}

const opsOf = (graph: Graph): OpName[] =>
  graph.nodes.flatMap((node) => (node.op === 'Scan' ? [node.op, ...opsOf(node.attrs.body)] : [node.op]))

describe('random graphs', () => {
  it('are the same for the same seed, feeds included', async () => {
    const show = async (seed: number) =>
      (await drawn(30, seed)).map((recipe) => {
        const { given, feeds } = assemble(recipe)
        return printGraph(given) + JSON.stringify(feeds)
      })
    expect(await show(5)).toEqual(await show(5))
    expect(await show(6)).not.toEqual(await show(5))
  })

  it('are valid, and stay so when instructions are dropped', async () => {
    for (const recipe of await drawn(150, 9)) {
      const smaller = recipe.steps.map((_, i) => ({
        ...recipe,
        steps: recipe.steps.filter((_step, j) => j !== i),
      }))
      for (const one of [recipe, ...smaller]) {
        const { graph, given } = assemble(one)
        verifyGraph(graph)
        verifyGraph(given)
      }
    }
  })

  it('stay valid wherever the search for a smaller one goes', async () => {
    for (let seed = 0; seed < 15; seed++) {
      let runs = 0
      const details = await fc.check(
        fc.property(recipes, (recipe) => {
          if (runs++ > 200) return
          verifyGraph(assemble(recipe).given)
          if (recipe.steps.length > 1) throw new Error('large')
        }),
        { seed },
      )
      expect((details.errorInstance as Error | null)?.message).toBe('large')
    }
  })

  it('hold every operator among those of the suite', async () => {
    const seen = new Set((await drawn(SUITE_GRAPHS)).flatMap((recipe) => opsOf(assemble(recipe).given)))
    expect(Object.keys({ ...primitives, ...composites }).filter((op) => !seen.has(op as OpName))).toEqual([])
  })

  it('do without operators that a backend lacks', async () => {
    const unsupported = ['Scan', 'TopK', 'Erf'] as const
    const { capabilities } = mutant({}, { unsupported })
    const excluded = excludedBy(capabilities)
    expect([...excluded].sort()).toEqual(['ArgMax', 'Erf', 'Gelu', 'Scan', 'TopK'])
    const seen = new Set(
      (await drawn(100)).flatMap((recipe) => opsOf(expandComposites(assemble(recipe, excluded).given))),
    )
    expect(unsupported.filter((op) => seen.has(op))).toEqual([])
  })
})

describe('bounds', () => {
  it('hold for single precision on a thousand graphs and gates, and leave out little', async () => {
    const report = await fuzz({ backend: await referenceBackend(), graphs: 1000, seed: 11 })
    expect(report.failures).toEqual([])
    expect(report.graphs).toBe(1000)
    expect(report.fragile).toBeGreaterThan(0)
    expect(report.fragile).toBeLessThan(50)
    expect(report.skipped).toBeLessThan(report.compared / 50)
    for (const { margin, bound } of report.decisions) expect(margin).toBeLessThanOrEqual(bound)
  }, 120_000)

  it('are sharp: a few units in the last place of the largest element, nearly always', async () => {
    const relative = (await drawn(400, 13)).map((recipe) => {
      const { graph, feeds, batch } = assemble(recipe)
      const { results } = boundsOf(graph, feeds, batch, {})
      return Math.max(
        0,
        ...Object.values(results).map(({ data, error }) => {
          const largest = Math.max(0, ...Array.from(data, Math.abs))
          const known = error.filter(Number.isFinite)
          return largest > 0 && known.length > 0 ? Math.max(...known) / largest : 0
        }),
      )
    })
    relative.sort((a, b) => a - b)
    expect(relative[200]).toBeLessThan(1e-5)
    expect(relative[380]).toBeLessThan(1e-3)
  })

  const decide = (z: number) => {
    const builder = new GraphBuilder('decide')
    const [x, y, threshold] = ['x', 'y', 'z'].map((name) => builder.input(name, 'float32', [1])) as [
      ReturnType<GraphBuilder['input']>,
      ReturnType<GraphBuilder['input']>,
      ReturnType<GraphBuilder['input']>,
    ]
    const larger = ops.greater(ops.mul(x, y), threshold)
    builder.output('larger', larger)
    builder.output('chosen', ops.where(larger, x, y))
    builder.output('sure', ops.add(x, y))
    const feeds = { x: tensor([0.1]), y: tensor([0.3]), z: tensor([z]) }
    return boundsOf(builder.build(), feeds, 1, {})
  }

  it('leave out what depends on a decision that rounding may turn, and nothing else', () => {
    const close = decide(Math.fround(0.1) * Math.fround(0.3))
    expect(close.results.larger?.error[0]).toBe(Number.POSITIVE_INFINITY)
    expect(close.results.chosen?.error[0]).toBe(Number.POSITIVE_INFINITY)
    expect(close.results.sure?.error[0]).toBeLessThan(1e-7)
    expect(close.evaluation.closest).toMatchObject({ op: 'Greater' })
    const clear = decide(0.0301)
    expect(clear.results.chosen?.error[0]).toBe(0)
    expect(clear.evaluation.unsettled).toBe(0)
  })

  it('know that copies of one element are equal: the gradient of a maximum is settled', () => {
    const builder = new GraphBuilder('peak')
    const x = ops.exp(builder.input('x', 'float32', [3]))
    builder.output('winner', ops.equal(x, ops.reduceMax(x, 0, true)))
    const { results } = boundsOf(builder.build(), { x: tensor([0.1, 0.7, 0.2]) }, 1, {})
    expect(Array.from(results.winner?.data ?? [])).toEqual([0, 1, 0])
    expect(Array.from(results.winner?.error ?? [])).toEqual([0, 0, 0])
  })

  it('widen by what a backend declares, and no further', async () => {
    const off = (size: number) => (exact: () => readonly NdArray[]) =>
      exact().map((t) => ({ ...t, data: t.data.map((v) => v + size) as never }))
    const accuracy = { Tanh: { absolute: 1e-5, source: 'a test' } }
    expect(await foundAt(randomGraphs, mutant({ Tanh: off(9e-6) }, { accuracy }))).toBeUndefined()
    expect(await foundAt(randomGraphs, mutant({ Tanh: off(9e-6) }))).toBeDefined()
    expect(await foundAt(randomGraphs, mutant({ Tanh: off(3e-5) }, { accuracy }))).toBeDefined()
  }, 60_000)
})

/** Operands the other way round. */
const swapped = (op: 'Sub' | 'Div' | 'Greater' | 'Where'): Backend =>
  mutant({
    [op]: (exact: () => readonly NdArray[], inputs: readonly NdArray[]) =>
      exact().map((t) => {
        const [a, b] = inputs.slice(-2) as [NdArray, NdArray]
        if (a.data.length !== t.data.length || b.data.length !== t.data.length) return t
        const rule = primitives[op] as (typeof primitives)['Sub']
        const make = (dtype: NdArray['dtype'], shape: readonly number[]) => makeArray(dtype, shape, 'float32')
        return rule.eval([...inputs.slice(0, -2), b, a], {}, [t], { make, call: () => [] })[0] as NdArray
      }),
  })

/** A recurrence that leaves its last step out. */
const stepShort = (): Backend =>
  mutant({
    LinearScan: (exact, [, b], { axis }) => {
      const [h, last] = exact() as [NdArray, NdArray]
      const steps = (b as NdArray).shape[axis as number] as number
      const inner = (b as NdArray).shape.slice((axis as number) + 1).reduce((n, d) => n * d, 1)
      if (steps < 2) return [h, last]
      const early = last.data.map(
        (_, i) => h.data[(Math.floor(i / inner) * steps + steps - 2) * inner + (i % inner)] as number,
      )
      return [h, { ...last, data: early as NdArray['data'] }]
    },
  })

/** Among equal elements, the later one first. */
const lateTies = (): Backend =>
  mutant({
    TopK: (exact, [x], { axis, k }) => {
      const [values, indices] = exact() as [NdArray, NdArray]
      const { shape, data } = x as NdArray
      const inner = shape.slice((axis as number) + 1).reduce((n, d) => n * d, 1)
      const length = shape[axis as number] as number
      const late = indices.data.map((_, i) => {
        const lane = Math.floor(i / ((k as number) * inner)) * length * inner + (i % inner)
        const at = (step: number) => data[lane + step * inner] as number
        const order = Array.from({ length }, (_step, step) => step).sort((a, b) => at(b) - at(a) || b - a)
        return order[Math.floor(i / inner) % (k as number)] as number
      })
      return [values, { ...indices, data: late as NdArray['data'] }]
    },
  })

describe('mistakes are found within 200 graphs', () => {
  it('ties that go to the later element', async () => {
    expect(await foundAt(randomGraphs, lateTies())).toBeDefined()
  })

  it.each(Object.keys(primitives) as PrimitiveName[])('%s off by 1e-4', async (op) => {
    expect(await foundAt(randomGraphs, slightlyOff(op))).toBeDefined()
  })

  it.each(['Sub', 'Div', 'Greater', 'Where'] as const)('%s with its operands swapped', async (op) => {
    expect(await foundAt(randomGraphs, swapped(op))).toBeDefined()
  })

  it('a recurrence that is one step short', async () => {
    expect(await foundAt(randomGraphs, stepShort())).toBeDefined()
  })

  // Mistakes that show at thousands of elements or at extreme arguments are for the operators' own cases.
  it.each(['cast to integers rounds', 'integer division floors'])('%s', async (name) => {
    expect(await foundAt(randomGraphs, (MISTAKES[name] as (typeof MISTAKES)[string]).backend())).toBeDefined()
  })

  it.each(['MatMul', 'LinearScan', 'Sigmoid', 'Exp', 'Sqrt'] as const)(
    '%s off by 1e-4 in gates',
    async (op) => {
      expect(await foundAt(randomGates, slightlyOff(op), 60)).toBeDefined()
    },
  )
})

describe('the report', () => {
  it('shows a small counterexample, and where to find it again', async () => {
    const backend = slightlyOff('Tanh')
    const report = await fuzz({ backend, graphs: 60, seed: 3, kind: 'graphs' })
    expect(report.failed).toBe(report.failures.length)
    expect(report.failed).toBeGreaterThan(0)
    const [failure] = report.failures
    expect(failure?.counterexample).toMatch(/Tanh|GruCell/)
    expect(failure?.counterexample.split('\n').length).toBeLessThan(20)
    const again = await fuzz({ backend, graphs: 1, seed: 3, first: failure?.index ?? 0, kind: 'graphs' })
    expect(again.failures).toEqual([failure])
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  }, 60_000)

  it('tells of progress', async () => {
    const seen: number[] = []
    const backend = await referenceBackend()
    await fuzz({ backend, graphs: 3, seed: 1, first: 8, onProgress: (done) => seen.push(done) })
    expect(seen).toEqual([1, 2, 3])
  })

  it('counts what a backend says it cannot run', async () => {
    const report = await fuzz({
      backend: mutant({}, { unsupported: ['Sigmoid', 'Exp', 'LinearScan'] }),
      graphs: 60,
      seed: 4,
    })
    expect(report.failures).toEqual([])
    expect(report.excluded).toBeGreaterThan(0)
    expect(report.excluded).toBeLessThan(30)
  })

  it.each([
    { graphs: 0, seed: 1 },
    { graphs: 1.5, seed: 1 },
    { graphs: 1, seed: Number.NaN },
    { graphs: 1, seed: 1, first: -1 },
  ])('refuses %j', async (options) => {
    const backend = await referenceBackend()
    await expect(fuzz({ backend, ...options })).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
})

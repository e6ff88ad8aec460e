/** The official vectors: every folder is accounted for, and the cases find wrong operators. */
import {
  conformanceCases,
  officialCoverage,
  officialNames,
  officialOthers,
  officialSource,
  runConformance,
} from '@fep-moe/conformance'
import {
  composites,
  type NdArray,
  type OpName,
  type PrimitiveName,
  primitives,
  type Tensor,
} from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { Call, Refusal, refuse } from '../src/official/call.js'
import { translateVector } from '../src/official/translate.js'
import { tensorsOf } from '../src/official/vector.js'
import { vectors } from '../src/official/vectors/cases.js'
import { pool } from '../src/official/vectors/pool.js'
import { mutant, slightlyOff } from './mutants.js'

const cases = conformanceCases().filter((c) => c.group === 'official')
const open = tensorsOf(Uint8Array.from(atob(pool), (c) => c.charCodeAt(0)))
const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((n, c) => n + c, 0)

const failing = async (backend: () => ReturnType<typeof mutant>, prefix: string) => {
  const report = await runConformance({
    backend: async () => backend(),
    cases: cases.filter((c) => c.id.startsWith(prefix)),
  })
  return report.results.filter((r) => r.status === 'failed').map((r) => r.id)
}

describe('coverage', () => {
  it('accounts for every folder', () => {
    const ours = Object.values(officialCoverage).map(({ taken, dropped }) => taken + total(dropped))
    expect(officialSource.folders).toBe(1288)
    expect(ours.reduce((n, c) => n + c, 0) + total(officialOthers)).toBe(officialSource.folders)
    expect(Object.keys(officialOthers).filter((op) => op in officialCoverage)).toEqual([])
  })

  it.each(Object.entries(officialCoverage))('%s: as many cases as were taken', (op, { taken }) => {
    expect(cases.filter((c) => c.id.startsWith(`official/${op}/`)).length).toBe(taken)
  })

  it.each([...Object.keys(primitives), ...Object.keys(composites)] as OpName[])(
    '%s has a case or a reason',
    (op) => {
      const names = officialNames[op]
      if (typeof names === 'string') return expect(names).not.toBe('')
      for (const name of names) {
        const { taken, dropped } = officialCoverage[name] ?? { taken: 0, dropped: {} }
        expect(taken + Object.keys(dropped).length, name).toBeGreaterThan(0)
      }
    },
  )

  it('every name that was looked at belongs to an operator', () => {
    const named = new Set(Object.values(officialNames).flat())
    expect(Object.keys(officialCoverage).filter((name) => !named.has(name))).toEqual([])
  })

  it('every case of an operator holds it', () => {
    const byName = new Map<string, Set<string>>()
    for (const [op, names] of Object.entries(officialNames))
      if (typeof names !== 'string')
        for (const name of names) byName.set(name, (byName.get(name) ?? new Set()).add(op))
    for (const vector of vectors) {
      const { graph } = translateVector(vector, open)
      const held = graph.nodes
        .map((n) => n.op as string)
        .filter((op) => op !== 'Constant' || op === vector.node.op)
      const own = byName.get(vector.node.op) as Set<string>
      // Reshapes to the same shape, bounds that are not there and sums of one operand leave nothing to do.
      if (held.length > 0)
        expect(
          held.some((op) => own.has(op)),
          vector.name,
        ).toBe(true)
    }
  })
})

describe('wrong operators are found', () => {
  const tried = (Object.keys(primitives) as PrimitiveName[]).flatMap((op) => {
    const names = officialNames[op]
    return typeof names === 'string' || !names.some((n) => officialCoverage[n]?.taken)
      ? []
      : [[op, names] as const]
  })

  it.each(tried)('%s off by 1e-4', async (op, names) => {
    const found = await Promise.all(names.map((name) => failing(() => slightlyOff(op), `official/${name}/`)))
    expect(found.flat()).not.toEqual([])
  })

  const scope = {
    make: (dtype: NdArray['dtype'], shape: readonly number[]): NdArray => {
      const length = shape.reduce((n, d) => n * d, 1)
      return { dtype, shape, data: dtype === 'int32' ? new Int32Array(length) : new Float32Array(length) }
    },
    call: () => [],
  }
  const types = (results: readonly NdArray[]) => results.map(({ dtype, shape }) => ({ dtype, shape }))

  it('a gather on the first axis, whatever the axis', async () => {
    const wrong = () =>
      mutant({
        Gather: (exact, inputs) => primitives.Gather.eval(inputs, { axis: 0 }, types(exact()), scope),
      })
    expect(await failing(wrong, 'official/Gather/')).toEqual([
      'official/Gather/gather_1',
      'official/Gather/gather_2d_indices',
    ])
  })

  it('a sum over the wrong axis', async () => {
    const wrong = () =>
      mutant({
        CumSum: (exact, inputs, attrs) =>
          primitives.CumSum.eval(
            inputs,
            { ...(attrs as { exclusive: boolean; reverse: boolean }), axis: 0 },
            types(exact()),
            scope,
          ),
      })
    expect(await failing(wrong, 'official/CumSum/')).toContain('official/CumSum/cumsum_2d_axis_1')
  })

  it('a scatter that overwrites', async () => {
    const wrong = () =>
      mutant({
        ScatterElements: (exact, [x, at, updates]) =>
          exact().map((t) => {
            const data = Float32Array.from((x as NdArray).data)
            ;(at as NdArray).data.forEach((index: number, k: number) => {
              data[index] = (updates as NdArray).data[k] as number
            })
            return { ...t, data }
          }),
      })
    expect(await failing(wrong, 'official/ScatterElements/')).not.toEqual([])
  })
})

describe('translation', () => {
  const one: Tensor = { dtype: 'float32', shape: [1], data: Float32Array.of(1) }
  const vector = (op: string, attrs: Record<string, number | string>) => ({
    name: 'made-up',
    opset: 21,
    node: { op, attrs, inputs: ['x'], outputs: ['y'] },
    inputs: { x: ['float32', [1], 0] as const },
    outputs: { y: ['float32', [1], 0] as const },
  })

  it.each([
    ['Gelu', { approximate: 'tanh' }],
    ['ArgMax', { select_last_index: 1 }],
    ['TopK', { largest: 0 }],
    ['Softsign', {}],
  ])('refuses %s with %j', (op, attrs) => {
    expect(() => translateVector(vector(op, attrs), () => one)).toThrow(Refusal)
  })

  it('refuses an attribute that is no constant', () => {
    const computed = { dtype: 'int32', shape: [1], value: () => refuse('not asked for') } as const
    const call = new Call(
      undefined as never,
      { op: 'Reshape', attrs: {}, inputs: [], outputs: [] },
      21,
      [computed],
      () => one,
      () => [],
    )
    expect(() => call.numbers(0)).toThrow(Refusal)
    expect(() => call.value(1)).toThrow(Refusal)
  })
})

/** The suite itself: it finds wrong backends, and it is strict about what it is told. */
import {
  conformance,
  conformanceCases,
  type ExpectedFailure,
  GROUPS,
  runCase,
  runConformance,
} from '@fep-moe/conformance'
import {
  composites,
  isComposite,
  type OpName,
  type PrimitiveName,
  primitives,
  referenceBackend,
} from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { examples } from '../src/operators/table.js'
import { deafToResets, MISBEHAVIORS, MISTAKES, mutant, slightlyOff } from './mutants.js'

const casesOf = (prefix: string) => conformanceCases().filter((c) => c.id.startsWith(prefix))
const failing = async (backend: Parameters<typeof runConformance>[0]['backend'], prefix: string) => {
  const report = await runConformance({ backend, cases: casesOf(prefix) })
  return report.results.filter((r) => r.status === 'failed').map((r) => r.id)
}

describe('the cases', () => {
  it('have unique, well-formed ids, in the order of the groups', () => {
    const ids = conformanceCases().map((c) => c.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const c of conformanceCases())
      expect(c.id).toMatch(new RegExp(`^${c.group}/[\\w.+-]+(/[\\w.+-]+)*$`))
    const order = conformanceCases().map((c) => GROUPS.indexOf(c.group))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(new Set(order).size).toBe(GROUPS.length)
  })

  it.each([...Object.keys(primitives), ...Object.keys(composites)] as OpName[])(
    '%s: every example holds the operator',
    (op) => {
      for (const c of casesOf(`operators/${op}/`)) {
        if (c.kind !== 'graph' || c.id.endsWith('/expanded')) continue
        expect(
          c.graph().nodes.map((n) => n.op),
          c.id,
        ).toContain(op)
      }
      expect(examples[op].length).toBeGreaterThan(isComposite(op) ? 0 : 1)
    },
  )

  it('wider tolerances say why', () => {
    for (const c of conformanceCases())
      if (c.group !== 'operators' && c.kind === 'procedure' && c.tolerance.atol > 1e-5)
        expect(c.note).toBeTruthy()
  })
})

describe('wrong operators are found', () => {
  it.each(Object.keys(primitives) as PrimitiveName[])('%s off by 1e-4', async (op) => {
    expect(await failing(async () => slightlyOff(op), `operators/${op}/`)).not.toEqual([])
  })

  it.each(Object.entries(MISTAKES))('%s', async (_name, { op, backend }) => {
    expect(await failing(async () => backend(), `operators/${op}/`)).not.toEqual([])
  })
})

describe('wrong gates are found', () => {
  it.each([
    ['MatMul', 'golden/A1.ablation.baseline.s'],
    ['MatMul', 'golden/A3.routers.s'],
    ['Erf', 'golden/A7.composed_gate.s'],
    ['LinearScan', 'golden/A6.entropy_router.beta_ant.s'],
    ['LinearScan', 'gates/streaming/beta/dense/bias'],
    ['MatMul', 'gates/training/20-steps/baseline'],
    ['Sigmoid', 'gates/vjp/beta'],
  ] as const)(
    '%s off by 1e-4 fails %s',
    async (op, id) => {
      const cases = conformanceCases().filter((c) => c.id === id)
      const report = await runConformance({ backend: async () => slightlyOff(op), cases })
      expect(report.counts.failed).toBe(1)
    },
    60_000,
  )

  it('a reset that is not taken', async () => {
    expect(await failing(async () => deafToResets(), 'gates/reset/mask/beta')).toContain(
      'gates/reset/mask/beta',
    )
  })
})

describe('wrong lifecycles are found', () => {
  it.each(Object.entries(MISBEHAVIORS))(
    'a backend that %s',
    async (_how, { misbehave, foundBy }) => {
      const cases = conformanceCases().filter((c) => c.id === foundBy)
      const report = await runConformance({ backend: async () => misbehave(await referenceBackend()), cases })
      expect(report.results.map((r) => r.status)).toEqual(['failed'])
      // A leak shows after thousands of runs only.
    },
    60_000,
  )
})

describe('expected failures', () => {
  const broken = async () => slightlyOff('Exp')
  const entry = (id: string): ExpectedFailure => ({
    id,
    reason: 'off by 1e-4',
    link: 'https://example.com/1',
  })

  it('turn a failure into an expected one', async () => {
    const ids = await failing(broken, 'operators/Exp/')
    const report = await runConformance({
      backend: broken,
      cases: casesOf('operators/Exp/'),
      expectedFailures: ids.map(entry),
    })
    expect(report.ok).toBe(true)
    expect(report.counts['expected-failure']).toBe(ids.length)
    expect(JSON.parse(JSON.stringify(report)).results[0].expectedFailure.reason).toBe('off by 1e-4')
  })

  it('fail the run where the case passes', async () => {
    const report = await runConformance({
      backend: () => referenceBackend(),
      cases: casesOf('operators/Exp/'),
      expectedFailures: [entry('operators/Exp/table')],
    })
    expect(report.ok).toBe(false)
    expect(report.counts['unexpected-pass']).toBe(1)
  })

  it.each([
    ['an unknown id', [entry('operators/Exp/nothing')]],
    ['an id that names a group of cases', [entry('operators/Exp')]],
    ['the same id twice', [entry('operators/Exp/table'), entry('operators/Exp/table')]],
    ['no reason', [{ ...entry('operators/Exp/table'), reason: ' ' }]],
    ['no link', [{ ...entry('operators/Exp/table'), link: '' }]],
  ])('refuse %s', async (_what, expectedFailures) => {
    await expect(
      runConformance({ backend: () => referenceBackend(), groups: ['operators'], expectedFailures }),
    ).rejects.toMatchObject({ code: 'FEP_CONFORMANCE' })
  })
})

describe('capabilities', () => {
  it('turn cases of an unsupported operator into negative ones', async () => {
    const backend = async () => mutant({}, { unsupported: ['Erf'] })
    const report = await runConformance({
      backend,
      cases: [
        ...casesOf('operators/Erf/'),
        ...casesOf('operators/Gelu/'),
        ...casesOf('gates/vjp/beta+evidence'),
      ],
    })
    expect(report.ok).toBe(true)
    expect(report.counts['unsupported-negative']).toBe(report.results.length)
  })

  it('are held against a backend that runs what it says it cannot', async () => {
    const honest = await referenceBackend()
    const liar = { ...honest, capabilities: { ...honest.capabilities, unsupported: ['Erf' as const] } }
    const report = await runConformance({ backend: async () => liar, cases: casesOf('operators/Erf/') })
    expect(report.counts.failed).toBe(report.results.length)
  })

  it('do not excuse an operator that they do not name', async () => {
    const silent = mutant({}, { unsupported: ['Erf'] })
    const backend = { ...silent, capabilities: { ...silent.capabilities, unsupported: [] } }
    const report = await runConformance({ backend: async () => backend, cases: casesOf('operators/Erf/') })
    expect(report.counts.failed).toBe(report.results.length)
  })

  it('widen a tolerance by what a declared accuracy propagates, and no further', async () => {
    const imprecise = (size: number) => (exact: () => readonly import('@fep-moe/core').NdArray[]) =>
      exact().map((t) => ({ ...t, data: t.data.map((v) => v + size) as never }))
    const declared = { accuracy: { Tanh: { absolute: 1e-5, source: 'a test' } } }
    const cases = [...casesOf('operators/Tanh/'), ...casesOf('gradients/Scan/only-ys')]
    const count = async (size: number, capabilities: object) =>
      (await runConformance({ backend: async () => mutant({ Tanh: imprecise(size) }, capabilities), cases }))
        .counts.failed
    expect(await count(9e-6, declared)).toBe(0)
    expect(await count(9e-6, {})).toBeGreaterThan(1)
    expect(await count(1e-3, declared)).toBeGreaterThan(1)
  })
})

describe('a lane that runs nothing fails', () => {
  it('in the programmatic form', async () => {
    await expect(runConformance({ backend: () => referenceBackend(), groups: [] })).rejects.toMatchObject({
      code: 'FEP_CONFORMANCE',
    })
    await expect(runConformance({ backend: () => referenceBackend(), cases: [] })).rejects.toMatchObject({
      code: 'FEP_CONFORMANCE',
    })
  })

  it('in the form for runners', async () => {
    const tests = collect({ groups: [] })
    expect(tests.map((t) => t.name)).toEqual(['is set up correctly'])
    await expect(tests[0]?.body()).rejects.toMatchObject({ code: 'FEP_CONFORMANCE' })
    const all = collect({ groups: ['golden'] })
    await expect(all.at(-1)?.body(), 'only the last test was selected').rejects.toMatchObject({
      code: 'FEP_CONFORMANCE',
    })
  })
})

describe('the form for runners', () => {
  it('registers one test per case and one at the end', async () => {
    const tests = collect({ groups: ['operators'] })
    expect(tests.length).toBe(casesOf('operators/').length + 1)
    await tests[0]?.body()
    await tests.at(-1)?.body()
  })

  it('fails the test of a broken case', async () => {
    const tests = collect({ cases: casesOf('operators/Exp/'), backend: async () => slightlyOff('Exp') })
    await expect(tests[0]?.body()).rejects.toThrow(/failed/)
  })

  it('takes results from somewhere else, and still judges them', async () => {
    const [testCase] = casesOf('operators/Exp/')
    const known: ExpectedFailure = { id: testCase?.id ?? '', reason: 'a test', link: 'https://example.org' }
    const asked: unknown[] = []
    const backend = await referenceBackend()
    const tests = collect({
      cases: casesOf('operators/Exp/'),
      expectedFailures: [known],
      run: async (c, expected) => {
        asked.push([c.id, expected])
        return runCase(c, { backend, create: async () => backend }, expected)
      },
    })
    await expect(tests[0]?.body()).rejects.toThrow(/unexpected-pass/)
    await tests[1]?.body()
    await tests.at(-1)?.body()
    expect(asked).toEqual([
      [known.id, known],
      [casesOf('operators/Exp/')[1]?.id, undefined],
    ])
  })
})

type Test = { readonly name: string; readonly body: () => Promise<void> }

function collect(options: Partial<Parameters<typeof conformance>[0]>): Test[] {
  const tests: Test[] = []
  conformance({
    backend: () => referenceBackend(),
    ...options,
    runner: { describe: (_name, body) => body(), it: (name, body) => tests.push({ name, body }) },
  })
  return tests
}

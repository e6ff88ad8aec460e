/** The properties themselves: each is falsified by a backend that breaks it, with a small counterexample. */
import { conformanceCases, runConformance } from '@fep-moe/conformance'
import {
  type Backend,
  hostTensor,
  makeArray,
  type NdArray,
  primitives,
  referenceBackend,
} from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { deafToResets, mutant } from './mutants.js'

const casesOf = (name: string) => conformanceCases().filter((c) => c.id === `properties/${name}`)

async function resultOf(name: string, backend: () => Promise<Backend>) {
  const report = await runConformance({ backend, cases: casesOf(name) })
  return report.results[0]
}

const map = (t: NdArray, f: (v: number, i: number) => number): NdArray => ({
  ...t,
  data: t.data.map(f) as NdArray['data'],
})

/** Products that depend on how many columns stand beside each other. */
const crowded = () =>
  mutant({
    MatMul: (exact) => exact().map((t) => map(t, (v) => v * (1 + 1e-3 * (t.shape.at(-1) as number)))),
  })

/** Products whose first row is a little too large. */
const partial = () =>
  mutant({
    MatMul: (exact) => exact().map((t) => map(t, (v, i) => (i < (t.shape.at(-1) as number) ? v * 1.001 : v))),
  })

/** Recurrences that run the other way. */
const backwards = () =>
  mutant({
    LinearScan: (exact, inputs, attrs) =>
      primitives.LinearScan.eval(inputs, { ...attrs, reverse: true } as never, exact(), {
        make: (dtype, shape) => makeArray(dtype, shape, 'float32'),
        call: () => [],
      }),
  })

/** Products that do not start from zero: no longer linear. */
const offset = () =>
  mutant({ Mul: (exact) => exact().map((t) => (t.dtype === 'float32' ? map(t, (v) => v + 1e-3) : t)) })

/** Products in which a weight of 0 does not hide everything. */
const leaky = () =>
  mutant({
    Mul: (exact, inputs) =>
      exact().map((t) => {
        const plain = inputs.every((x) => x.data.length === 1 || x.data.length === t.data.length)
        if (t.dtype !== 'float32' || !plain) return t
        const [x, y] = inputs.map((of) => (i: number) => of.data[of.data.length === 1 ? 0 : i] as number)
        return map(t, (v, i) => v + (v === 0 ? 1e-3 * ((x?.(i) as number) + (y?.(i) as number)) : 0))
      }),
  })

/** Every run a little different from the last. */
const drifting = () => {
  let runs = 0
  return mutant({ MatMul: (exact) => exact().map((t) => map(t, (v) => v * (1 + 1e-6 * runs++))) })
}

/** Lets the end of what is padded shine through everywhere. */
const farsighted = () =>
  mutant({
    Pad: (exact, [x]) => {
      const end = (x as NdArray).data.at(-1) ?? 0
      return exact().map((t) => (t.dtype === 'float32' ? map(t, (v) => v + 1e-3 * end) : t))
    },
  })

/** Writes into its feeds. */
const scribbling = async (): Promise<Backend> => {
  const backend = await referenceBackend()
  return {
    ...backend,
    compile: async (graph) => {
      const program = await backend.compile(graph)
      return {
        ...program,
        run: async (feeds) => {
          const results = await program.run(feeds)
          const copies = Object.fromEntries(
            await Promise.all(
              Object.entries(results).map(async ([name, t]) => {
                const { dtype, shape } = t
                return [name, hostTensor({ dtype, shape, data: (await t.read()).slice() as never })] as const
              }),
            ),
          )
          for (const feed of Object.values(feeds))
            if ('data' in feed && feed.dtype === 'float32') feed.data.fill(0)
          return copies
        },
      }
    },
  }
}

/** Rankings of the first elements, whatever stands behind them. */
const nearsighted = () =>
  mutant({
    TopK: (exact, [x], { k, axis }) => {
      const from = x as NdArray
      const near = from.data.map((v, i) => {
        const inner = from.shape.slice((axis as number) + 1).reduce((n, d) => n * d, 1)
        const at = Math.floor(i / inner) % (from.shape[axis as number] as number)
        return at < (k as number) ? v : -1e9
      }) as NdArray['data']
      return near.every((v, i) => v === from.data[i])
        ? exact()
        : primitives.TopK.eval([{ ...from, data: near }], { k, axis } as never, exact() as never, {
            make: (dtype, shape) => makeArray(dtype, shape, 'float32'),
            call: () => [],
          })
    },
  })

/** Comparisons that nothing passes. */
const never = () => mutant({ GreaterOrEqual: (exact) => exact().map((t) => map(t, () => 0)) })

/** Conditions of which the second does not count. */
const careless = () =>
  mutant({ And: (exact, [x]) => exact().map((t) => ({ ...t, data: (x as NdArray).data.slice() as never })) })

const BREAKS: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  causal: backwards,
  'oracle-looks-one-token-ahead': farsighted,
  'batch-invariant': crowded,
  'permutation-equivariant': partial,
  pure: scribbling,
  'streaming-equals-sequence': backwards,
  'chunks-equal-sequence': backwards,
  'a-reset-is-a-fresh-start': deafToResets,
  'a-snapshot-is-the-state': drifting,
  'next-is-what-it-says': crowded,
  'same-seed-same-bytes': drifting,
  'routing-does-not-disturb-training': drifting,
  'accumulated-gradients-add-up': crowded,
  'masked-steps-do-not-count': leaky,
  'vjp-is-linear': offset,
  'policies/causal': backwards,
  'policies/expert-choice-looks-ahead': nearsighted,
  'policies/batch-invariant': crowded,
  'policies/permutation-equivariant': partial,
  'policies/pure': scribbling,
  'policies/load-near-its-target': never,
  'policies/cutoffs-follow-logits': never,
  'policies/padding-counts-nowhere': careless,
}

describe('a property', () => {
  it('has a backend here that breaks it, whichever it is', () => {
    const names = conformanceCases()
      .filter((c) => c.group === 'properties')
      .map((c) => c.id.slice('properties/'.length))
    expect(names.sort()).toEqual(Object.keys(BREAKS).sort())
  })

  it.each(Object.entries(BREAKS))(
    '%s: is found broken, and shown small',
    async (name, broken) => {
      const result = await resultOf(name, async () => broken())
      expect(result?.status).toBe('failed')
      expect(result?.message).toMatch(/fast-check seed \d+, path '[\d:]+'/)
      expect(result?.message).toContain('"config"')
    },
    60_000,
  )

  it('is left out where no gate can do without what the backend lacks', async () => {
    const result = await resultOf('pure', async () => mutant({}, { unsupported: ['MatMul'] }))
    expect(result?.status).toBe('unsupported-negative')
  })

  it('is held for the gates that can do without it', async () => {
    const result = await resultOf('pure', async () => mutant({}, { unsupported: ['LinearScan'] }))
    expect(result?.status).toBe('passed')
  })

  it('allows what the backend declares', async () => {
    const off = (exact: () => readonly NdArray[]) =>
      exact().map((t) => map(t, (v) => v + (t.shape.at(-1) === 1 ? 1e-5 : -1e-5)))
    const accuracy = { Sigmoid: { absolute: 1e-5, source: 'a test' } }
    const status = async (declared: object) =>
      (await resultOf('streaming-equals-sequence', async () => mutant({ Sigmoid: off }, declared)))?.status
    expect(await status({ accuracy })).toBe('passed')
  }, 60_000)
})

/** The cases about NaN and infinities find executors that break their promise, and excuse what is declared. */
import { conformanceCases, runConformance } from '@fep-moe/conformance'
import { type Capabilities, composites, type NdArray, type OpName, primitives } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { mutant } from './mutants.js'

const cases = conformanceCases().filter((c) => c.group === 'non-finite')
type NonFinite = Capabilities['nonFinite']
const IEEE: NonFinite = { policy: 'ieee', except: {} }
const UNDEFINED: NonFinite = { policy: 'undefined', except: {} }
const excepting = (op: OpName): NonFinite => ({ policy: 'ieee', except: { [op]: 'for this test' } })

type Evals = Parameters<typeof mutant>[0]

const failing = async (evals: Evals, nonFinite: NonFinite, prefix: string) => {
  const report = await runConformance({
    backend: async () => mutant(evals, { nonFinite }),
    cases: cases.filter((c) => c.id.startsWith(`non-finite/${prefix}`)),
  })
  return report.results.filter((r) => r.status === 'failed').map((r) => r.id)
}

/** The results with their elements replaced. */
const mapped = (
  results: readonly NdArray[],
  value: (x: number, index: number, t: NdArray) => number,
): NdArray[] =>
  results.map((t) => {
    const data = t.data.slice() as NdArray['data']
    for (let i = 0; i < data.length; i++) data[i] = value(t.data[i] as number, i, t)
    return { ...t, data }
  })

const anyNaN = (inputs: readonly NdArray[]) => inputs.some((t) => t.data.some((v: number) => Number.isNaN(v)))

/** max as many processors have it: a comparison that is false gives the second operand. */
const droppingMax: Evals = {
  Max: (exact, [a, b]) =>
    mapped(exact(), (max, i, t) => {
      if (a?.data.length !== t.data.length || b?.data.length !== t.data.length) return max
      const [p, q] = [a.data[i] as number, b.data[i] as number]
      if (p > q) return p
      return q
    }),
}

/** One NaN anywhere makes NaN everywhere: a product over padded or shared memory. */
const leakingProduct: Evals = {
  MatMul: (exact, inputs) => (anyNaN(inputs) ? mapped(exact(), () => Number.NaN) : exact()),
}

/** No instruction of this processor makes or keeps a NaN or an infinity. */
const finiteOnly: Evals = Object.fromEntries(
  Object.keys(primitives).map((op) => [
    op,
    (exact: () => readonly NdArray[]) =>
      mapped(exact(), (x, _i, { dtype }) => (dtype === 'float32' && !Number.isFinite(x) ? 0 : x)),
  ]),
)

/** The recurrence as a product with a triangular matrix. */
const productScan: Evals = {
  LinearScan: (exact, inputs, { axis }) => {
    const [, b] = inputs as [NdArray, NdArray]
    const [lanes, steps, batch] = b.shape as [number, number, number]
    if (axis !== 1 || b.shape.length !== 3) return exact()
    const bad = (lane: number, s: number) =>
      inputs.some(({ data, shape }) => {
        const [d, t, n] = shape as [number, number, number]
        return data.some(
          (v: number, k: number) =>
            Math.floor(k / (t * n)) === (d === 1 ? 0 : lane) &&
            (n === 1 || k % n === s) &&
            !Number.isFinite(v),
        )
      })
    const spoiled = Array.from({ length: lanes * batch }, (_, k) => bad(Math.floor(k / batch), k % batch))
    return mapped(exact(), (x, i, t) => {
      const length = t.shape[1] as number
      const lane = Math.floor(i / (length * batch))
      return length === steps && spoiled[lane * batch + (i % batch)] ? Number.NaN : x
    })
  },
}

describe('the cases', () => {
  it.each([...Object.keys(primitives), ...Object.keys(composites)] as OpName[])('%s is among them', (op) => {
    const withoutFloats: OpName[] = ['Constant', 'Size', 'And', 'Not', 'OneHot']
    const own = cases.filter((c) => c.id.startsWith(`non-finite/${op}/`))
    expect(own.length > 0).toBe(!withoutFloats.includes(op))
  })
})

describe('a broken promise is found', () => {
  it('a maximum that drops NaN', async () => {
    expect(await failing(droppingMax, IEEE, 'Max/')).toContain('non-finite/Max/37-elements/nan')
    expect(await failing(droppingMax, excepting('Max'), 'Max/')).toEqual([])
    expect(await failing(droppingMax, UNDEFINED, 'Max/')).toEqual([])
  })

  it('an executor that declares IEEE 754 and has no NaN', async () => {
    for (const op of ['Add', 'Exp', 'MatMul', 'ReduceSum', 'Transpose', 'Where', 'Softmax', 'Log'])
      expect(await failing(finiteOnly, IEEE, `${op}/`), op).not.toEqual([])
    expect(await failing(finiteOnly, UNDEFINED, '')).toEqual([])
  }, 120_000)

  it('a zero that loses its sign: −x computed as 0 − x', async () => {
    const wrong: Evals = { Neg: (exact) => mapped(exact(), (x) => (x === 0 ? 0 : x)) }
    expect(await failing(wrong, IEEE, 'Neg/')).toEqual(['non-finite/Neg/sign-of-zero'])
    expect(await failing(wrong, UNDEFINED, 'Neg/')).toEqual([])
  })
})

describe('what does not depend on a number stays right, whatever is declared', () => {
  it('a product that leaks', async () => {
    for (const declared of [IEEE, UNDEFINED, excepting('MatMul')]) {
      expect(await failing(leakingProduct, declared, 'MatMul/')).toContain(
        'non-finite/MatMul/17x33-by-33x19/nan',
      )
      expect(await failing(leakingProduct, declared, 'gates/isolation/beta+direct')).not.toEqual([])
    }
  })

  it('a recurrence that goes back in time is an exception to declare', async () => {
    expect(await failing(productScan, IEEE, 'LinearScan/5-steps/')).toContain(
      'non-finite/LinearScan/5-steps/nan',
    )
    expect(await failing(productScan, UNDEFINED, 'LinearScan/5-steps/')).toContain(
      'non-finite/LinearScan/5-steps/nan',
    )
    expect(await failing(productScan, excepting('LinearScan'), 'LinearScan/')).toEqual([])
    expect(await failing(productScan, IEEE, 'gates/isolation/beta')).not.toEqual([])
    expect(await failing(productScan, excepting('LinearScan'), 'gates/isolation/beta')).toEqual([])
  })

  it('an exception does not reach other lanes', async () => {
    const everywhere: Evals = {
      LinearScan: (exact, inputs) => (anyNaN(inputs) ? mapped(exact(), () => Number.NaN) : exact()),
    }
    expect(await failing(everywhere, excepting('LinearScan'), 'LinearScan/5-steps/')).toEqual([
      'non-finite/LinearScan/5-steps/nan',
    ])
  })

  it('indices of a row with NaN stay in the row', async () => {
    const outside: Evals = {
      TopK: (exact, inputs) =>
        anyNaN(inputs) ? mapped(exact(), (x, _i, t) => (t.dtype === 'int32' ? -1 : x)) : exact(),
    }
    for (const declared of [IEEE, UNDEFINED]) {
      expect(await failing(outside, declared, 'TopK/')).toEqual(['non-finite/TopK/3-of-5/nan'])
      expect(await failing(outside, declared, 'ArgMax/')).toEqual(['non-finite/ArgMax/rows/nan'])
      expect(await failing(outside, declared, 'gates/isolation/affinity')).not.toEqual([])
    }
  })
})

describe('gates that are not finite are found', () => {
  it('a softmax that does not subtract the maximum', async () => {
    const unshifted: Evals = { ReduceMax: (exact) => mapped(exact(), () => 0) }
    expect(await failing(unshifted, IEEE, 'gates/extreme-tokens/affinity')).not.toEqual([])
    expect(await failing(unshifted, IEEE, 'gates/saturated-training/logits/affinity')).not.toEqual([])
  })

  it('tokens that do not saturate', async () => {
    const unbounded: Evals = {
      Max: (_exact, inputs) => [inputs[0] as NdArray],
      Min: (_exact, inputs) => [inputs[0] as NdArray],
    }
    expect(await failing(unbounded, IEEE, 'gates/extreme-tokens/beta')).not.toEqual([])
  })
})

/** Shared by tests: small deterministic tensors and a float64 evaluator. */
import {
  type FepError,
  type GateConfig,
  type Graph,
  interpret,
  type NdArray,
  type Tensor,
} from '../src/index.js'

/** Deterministic, well spread numbers in (−1, 1). */
export function wave(shape: readonly number[], phase = 0): Tensor {
  const data = new Float64Array(shape.reduce((n, d) => n * d, 1))
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(1.7 * i + phase) * Math.cos(0.3 * i + 2 * phase)
  return { dtype: 'float32', shape, data }
}

/** The same, as a Float32Array. */
export function wave32(shape: readonly number[], phase = 0): Tensor {
  const t = wave(shape, phase)
  return { ...t, data: Float32Array.from(t.data) }
}

export const ints = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => ({
  dtype: 'int32',
  shape,
  data: Int32Array.from(values),
})

/** Evaluates in doubles. */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  batch = 1,
): Record<string, NdArray> {
  return interpret(graph, feeds, { precision: 'float64', batch })
}

/** Central differences of a scalar output. */
export function numericGradient(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  of: string,
  wrt: string,
  batch = 1,
): number[] {
  const x = feeds[wrt] as Tensor
  const at = (i: number, delta: number) => {
    const data = Float64Array.from(x.data)
    data[i] = (data[i] as number) + delta
    return evaluate(graph, { ...feeds, [wrt]: { ...x, data } }, batch)[of]?.data[0] as number
  }
  const h = 1e-5
  return Array.from(x.data, (_, i) => (at(i, h) - at(i, -h)) / (2 * h))
}

/** The code of the error that a call throws or rejects with. */
export async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body()
  } catch (error) {
    return (error as FepError).code ?? `no FepError: ${error}`
  }
  return 'nothing thrown'
}

const mechanisms = {
  memory: { kind: 'leaky' },
  precision: { kind: 'evidence' },
  anticipation: { kind: 'additive', width: 6 },
} as const
/** Configurations of all 2³ combinations of mechanisms. */
export const subsets = Array.from(
  { length: 8 },
  (_, bits): Partial<GateConfig> =>
    Object.fromEntries(Object.entries(mechanisms).filter((_entry, i) => bits & (1 << i))),
)

/** Measures of routing, as pure functions of host tensors. Rows are tokens: any leading shape, experts last. */
import { FepError } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { Tensor } from '../tensor.js'

/** Share of the routing that each expert gets. */
export interface Load {
  /** Per expert; a share of tokens (selected weight > 0). Sums to the mean number of experts per token. */
  readonly perExpert: readonly number[]
  readonly mean: number
  /** Population variance over experts. */
  readonly variance: number
}

const expertsOf = (t: Tensor): number => t.shape.at(-1) as number

function rowsOf(weights: Tensor, other?: Tensor): { rows: number; experts: number } {
  const experts = expertsOf(weights)
  const rows = experts === 0 ? 0 : weights.data.length / experts
  if (other && other.data.length !== rows)
    throw new FepError('FEP_BAD_ARGUMENT', `metrics: ${other.data.length} targets for ${rows} tokens`)
  return { rows, experts }
}

/** How many tokens each expert takes, as shares of all tokens. */
export function load(weights: Tensor): Load {
  const { rows, experts } = rowsOf(weights)
  const perExpert = new Array<number>(experts).fill(0)
  for (let i = 0; i < weights.data.length; i++)
    if ((weights.data[i] as number) > 0) (perExpert[i % experts] as number) += 1 / rows
  const mean = perExpert.reduce((n, x) => n + x, 0) / experts
  return { perExpert, mean, variance: perExpert.reduce((n, x) => n + (x - mean) ** 2, 0) / experts }
}

/** Mean weight on the right expert. A probability where weights are a distribution. */
export function gateMass(weights: Tensor, targets: Tensor): number {
  const { rows, experts } = rowsOf(weights, targets)
  let total = 0
  for (let r = 0; r < rows; r++) total += weights.data[r * experts + (targets.data[r] as number)] as number
  return total / rows
}

/** Share of tokens whose largest score is the right expert's; ties go to the lower index. Scores may be logits. */
export function accuracy(scores: Tensor, targets: Tensor): number {
  const { rows, experts } = rowsOf(scores, targets)
  let hits = 0
  for (let r = 0; r < rows; r++) if (argmaxRow(scores, r * experts, experts) === targets.data[r]) hits++
  return hits / rows
}

function argmaxRow(t: Tensor, start: number, length: number): number {
  let best = 0
  for (let e = 1; e < length; e++)
    if ((t.data[start + e] as number) > (t.data[start + best] as number)) best = e
  return best
}

/** Mean entropy of the weights in nats, −Σ w log(w + 1e-9). */
export function entropy(weights: Tensor): number {
  const { rows } = rowsOf(weights)
  let total = 0
  for (const w of weights.data) total -= w * Math.log(w + 1e-9)
  return total / rows
}

/** {@link entropy} over log E: 0 decided, 1 uniform. 0 for one expert. */
export function normalizedEntropy(weights: Tensor): number {
  const experts = expertsOf(weights)
  return experts < 2 ? 0 : entropy(weights) / Math.log(experts)
}

/** Jain's fairness index of a load: (Σ x)² / (n Σ x²); 1 balanced, 1/n all on one. 1 where nothing was routed. */
export function jainIndex(perExpert: ArrayLike<number>): number {
  let [total, squares] = [0, 0]
  for (let i = 0; i < perExpert.length; i++) {
    total += perExpert[i] as number
    squares += (perExpert[i] as number) ** 2
  }
  return squares === 0 ? 1 : total ** 2 / (perExpert.length * squares)
}

/** Share of steps t ≥ 1 whose selected set differs from the step before. Weights (B,T,E); 0 where T < 2. */
export function churn(weights: Tensor): number {
  const [batch, steps, experts] = weights.shape as [number, number, number]
  if (weights.shape.length !== 3)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `churn: weights must be (B,T,E), not (${weights.shape.join(', ')})`,
    )
  if (steps < 2) return 0
  let changes = 0
  const chosen = (b: number, t: number) => selectedRow(weights, (b * steps + t) * experts, experts)
  for (let b = 0; b < batch; b++)
    for (let t = 1; t < steps; t++) if (chosen(b, t) !== chosen(b, t - 1)) changes++
  return changes / (batch * (steps - 1))
}

/** The selected experts of a row as text; for dense weights (all positive) the largest one. */
function selectedRow(t: Tensor, start: number, experts: number): string {
  const row = Array.from({ length: experts }, (_, e) => e).filter((e) => (t.data[start + e] as number) > 0)
  return row.length === experts && experts > 1 ? String(argmaxRow(t, start, experts)) : row.join()
}

/**
 * Draws from the gate that cover the right expert with the given probability, K = ln(1 − coverage)/ln(1 − p)
 * (paper A §3.4): 1 where p ≥ coverage, Infinity where p ≤ 0. A real number, capped at `cap`.
 * @param p mass on the right expert, 0..1
 */
export function expertsForCoverage(
  p: number,
  options: { readonly coverage?: number; readonly cap?: number } = {},
): number {
  const { coverage = 0.99, cap = Number.POSITIVE_INFINITY } = options
  const k = p >= coverage ? 1 : p <= 0 ? Number.POSITIVE_INFINITY : Math.log(1 - coverage) / Math.log(1 - p)
  return Math.min(k, cap)
}

/** One step of a sequence: (B,T,f) → (B,1,f), (B,T) → (B,1). For metrics «at t». */
export function atStep(t: Tensor, step: number): Tensor {
  const [batch, steps] = t.shape as [number, number]
  if (!Number.isInteger(step) || step < 0 || step >= steps)
    throw new FepError('FEP_BAD_ARGUMENT', `atStep: step ${step} is outside 0..${steps - 1}`)
  const width = countOf(t.shape.slice(2))
  const data = t.data.slice(0, batch * width)
  for (let b = 0; b < batch; b++)
    data.set(
      t.data.subarray((b * steps + step) * width, (b * steps + step + 1) * width) as Float32Array,
      b * width,
    )
  return { dtype: t.dtype, shape: [batch, 1, ...t.shape.slice(2)], data }
}

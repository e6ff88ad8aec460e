/** What a trained language model is scored by: bits per letter and gate weights, by step. */
import {
  type Backend,
  FepError,
  type LanguageModel,
  type LanguageModelResult,
  type Params,
  type Tensor,
} from '@fep-moe/core'
import type { TwoAlphabetsBatch, TwoAlphabetsStream } from '../tasks/two-alphabets.js'

/** Means over sequences. */
export interface TextScores {
  /** Bits per predicted letter, by step. */
  readonly bits: readonly number[]
  /** Weight of each expert, by expert, then by step. */
  readonly weights: readonly (readonly number[])[]
}

/**
 * −log₂ p(y) of every token, (B · T).
 * @param logits (B,T,V)
 * @param y int32 (B,T)
 * @throws FEP_BAD_ARGUMENT where shapes do not fit
 */
export function bitsOf(logits: Tensor, y: Tensor): Float64Array {
  const [batch, steps, vocabulary] = logits.shape as [number, number, number]
  if (logits.shape.length !== 3 || y.shape.join() !== `${batch},${steps}`)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `bits: logits (${logits.shape.join(', ')}) and y (${y.shape.join(', ')}) do not fit`,
    )
  const z = logits.data
  return Float64Array.from({ length: batch * steps }, (_, n) => {
    const start = n * vocabulary
    let top = Number.NEGATIVE_INFINITY
    for (let v = 0; v < vocabulary; v++) top = Math.max(top, z[start + v] as number)
    let total = 0
    for (let v = 0; v < vocabulary; v++) total += Math.exp((z[start + v] as number) - top)
    const nats = top + Math.log(total) - (z[start + (y.data[n] as number)] as number)
    return nats / Math.LN2
  })
}

/**
 * Sums of −log₂ p(y_t) over sequences, by step.
 * @param logits (B,T,V)
 * @param y int32 (B,T)
 * @throws FEP_BAD_ARGUMENT where shapes do not fit
 */
export function bitsPerStep(logits: Tensor, y: Tensor): number[] {
  const steps = logits.shape[1] as number
  const sums = new Array<number>(steps).fill(0)
  bitsOf(logits, y).forEach((bits, n) => {
    sums[n % steps] = (sums[n % steps] as number) + bits
  })
  return sums
}

/** Sequences that are run at a time: the activations of a batch of hundreds would take more memory than training. */
const AT_A_TIME = 128

/**
 * Runs a model on a batch, some sequences at a time.
 * @param visit called with the result for letters `y`, which are those of the batch from the sequence `first` on
 */
export async function runText(
  backend: Backend,
  model: LanguageModel,
  params: Params,
  { x, y }: Pick<TwoAlphabetsBatch, 'x' | 'y'>,
  visit: (result: LanguageModelResult, y: Tensor, first: number) => void,
): Promise<void> {
  for (let first = 0; first < (x.shape[0] as number); first += AT_A_TIME)
    visit(await model.run(backend, params, rows(x, first)), rows(y, first), first)
}

/** Scores a model on the next batches of a stream. */
export async function scoreText(
  backend: Backend,
  model: LanguageModel,
  params: Params,
  { task, next }: TwoAlphabetsStream,
  batches: number,
): Promise<TextScores> {
  const steps = task.letters - 1
  const zeros = () => new Array<number>(steps).fill(0)
  const bits = zeros()
  const weights = Array.from({ length: model.gate.experts }, zeros)
  const add = (sum: number[], t: number, value: number) => {
    sum[t] = (sum[t] as number) + value / (batches * task.batch)
  }
  for (let i = 0; i < batches; i++)
    await runText(backend, model, params, next(), (result, y) => {
      bitsPerStep(result.logits, y).forEach((sum, t) => {
        add(bits, t, sum)
      })
      result.weights.data.forEach((w: number, k: number) => {
        add(weights[k % weights.length] as number[], Math.floor(k / weights.length) % steps, w)
      })
    })
  return { bits, weights }
}

/** Some rows of (B,T), without a copy. */
function rows({ dtype, shape: [, steps], data }: Tensor, first: number): Tensor {
  const part = data.subarray(first * (steps as number), (first + AT_A_TIME) * (steps as number))
  return { dtype, shape: [part.length / (steps as number), steps as number], data: part } as Tensor
}

/** Of at least one number. */
export const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length

/**
 * The expert of the second alphabet: the one whose mean weight rises most from the steps that predict letters of the first
 * alphabet to those that predict letters of the second. The lower index where two rise alike.
 * @param weights by expert, then by step
 * @param switchAt first letter of the second alphabet
 */
export function expertOfSecond(weights: readonly (readonly number[])[], switchAt: number): number {
  // With the switch after the first letter no step predicts a letter of the first alphabet.
  const rises = weights.map(
    (w) => mean(w.slice(switchAt - 1)) - (switchAt > 1 ? mean(w.slice(0, switchAt - 1)) : 0),
  )
  return rises.indexOf(Math.max(...rises))
}

/** Mean over steps switchAt + 2 .. switchAt + 19, as far as there are so many: well inside the second part. */
export function insideSecond(values: readonly number[], switchAt: number): number {
  const inside = values.slice(switchAt + 2, switchAt + 20)
  return mean(inside.length > 0 ? inside : values.slice(-1))
}

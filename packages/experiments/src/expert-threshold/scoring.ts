/** What a trained model is scored by: losses of tokens, loads of experts, and how many experts a token gets. */
import type { Backend, Params } from '@fep-moe/core'
import type { PolicyState } from '@fep-moe/core/policies'
import { sampleCorrelation } from 'simple-statistics'
import { mean } from '../language-model/scoring.js'
import type { ByteModel, ByteModelResult } from './model.js'
import { chosenRows, type TextBatch } from './stream.js'

/** A model that serves, with the cutoffs in force. */
export interface Served {
  readonly backend: Backend
  readonly model: ByteModel
  readonly params: Params
  readonly state: PolicyState
}

/** Runs a batch. */
export const serve = (
  { backend, model, params, state }: Served,
  batch: TextBatch,
): Promise<ByteModelResult> => model.run(backend, params, state, batch)

/** Tokens of several batches. */
export interface TokenScores {
  /** In nats, by token. */
  readonly losses: readonly number[]
  /** Routed experts, by token. */
  readonly fanouts: readonly number[]
  /** Tokens of each expert. */
  readonly load: readonly number[]
}

/** How many experts each token got, by token. */
const fanoutsOf = ({ mask, load }: ByteModelResult): number[] => {
  const experts = load.data.length
  const counts = Array<number>(mask.data.length / experts).fill(0)
  mask.data.forEach((taken: number, i: number) => {
    const n = Math.floor(i / experts)
    counts[n] = (counts[n] as number) + taken
  })
  return counts
}

/** Gathers what batches came to. */
export function gatherScores(results: readonly ByteModelResult[]): TokenScores {
  return {
    losses: results.flatMap(({ tokenLoss }) => Array.from(tokenLoss.data)),
    fanouts: results.flatMap(fanoutsOf),
    load: sumLoads(results.map(({ load }) => Array.from(load.data))),
  }
}

/** Sums over batches, by expert. */
export const sumLoads = (loads: readonly (readonly number[])[]): number[] =>
  (loads[0] ?? []).map((_, e) => loads.reduce((sum, load) => sum + (load[e] as number), 0))

/** The largest load over what an expert is meant to take. */
export const imbalanceOf = (load: readonly number[], tokens: number, target: number): number =>
  Math.max(...load) / (tokens * target)

/** Shares of tokens with 0, 1, …, E experts. */
export function fanoutShares(fanouts: readonly number[], experts: number): number[] {
  const counts = Array<number>(experts + 1).fill(0)
  for (const n of fanouts) counts[n] = (counts[n] as number) + 1
  return counts.map((n) => n / fanouts.length)
}

/** Parts that tokens are cut into by their loss. */
const PARTS = 10

/** Mean number of experts of the tenth of the tokens that cost least, of the next tenth, … */
export function fanoutByLoss({ losses, fanouts }: Pick<TokenScores, 'losses' | 'fanouts'>): number[] {
  const order = Array.from(losses.keys()).sort((a, b) => (losses[a] as number) - (losses[b] as number))
  return Array.from({ length: PARTS }, (_, i) => {
    const part = order.slice(
      Math.floor((i * order.length) / PARTS),
      Math.floor(((i + 1) * order.length) / PARTS),
    )
    return part.length > 0 ? mean(part.map((n) => fanouts[n] as number)) : 0
  })
}

/** Pearson's correlation of a token's loss and its number of experts; 0 where every token gets as many. */
export const fanoutCorrelation = ({ losses, fanouts }: Pick<TokenScores, 'losses' | 'fanouts'>): number =>
  fanouts.every((n) => n === fanouts[0]) ? 0 : sampleCorrelation([...losses], [...fanouts])

/**
 * Share of the tokens whose experts change with the batch that their sequence arrives in: among sequences of another batch, in
 * another order, and alone where the policy can serve a sequence alone.
 * @param first two batches of the same size
 */
export async function routingChanged(served: Served, first: TextBatch, second: TextBatch): Promise<number> {
  const [a, b] = [await serve(served, first), await serve(served, second)]
  const [batch, steps, experts] = a.mask.shape as [number, number, number]
  const rows = Array.from({ length: batch }, (_, i) => i)
  const width = steps * experts
  let changed = 0
  let compared = 0
  const compare = (before: ByteModelResult, row: number, after: ByteModelResult, place: number) => {
    for (let t = 0; t < steps; t++) {
      compared++
      for (let e = 0; e < experts; e++)
        if (
          before.mask.data[row * width + t * experts + e] !== after.mask.data[place * width + t * experts + e]
        ) {
          changed++
          break
        }
    }
  }
  // Every other sequence is exchanged for one of the other batch, and the last comes first.
  const from = (row: number) => (row % 2 === 0 ? a : b)
  const after = await serve(served, mixed(first, second, batch))
  for (const row of rows) compare(from(row), row, after, batch - 1 - row)
  if (served.model.layer.batchInvariant)
    for (const row of rows.slice(0, 2)) compare(a, row, await serve(served, chosenRows(first, [row])), 0)
  return changed / compared
}

/** Sequences 0, 2, … of one batch and 1, 3, … of another, in reversed order. */
function mixed(a: TextBatch, b: TextBatch, batch: number): TextBatch {
  const both = (one: TextBatch['x'], two: TextBatch['x']): TextBatch['x'] => ({
    dtype: 'int32',
    shape: [2 * batch, one.shape[1] as number],
    data: Int32Array.from([...one.data, ...two.data]),
  })
  const order = Array.from({ length: batch }, (_, i) => batch - 1 - i)
  return chosenRows(
    { x: both(a.x, b.x), y: both(a.y, b.y) },
    order.map((row) => (row % 2 === 0 ? row : batch + row)),
  )
}

/** Policies that look at no score: random and hash routing, floors for comparisons. */
import { FepError } from '../errors.js'
import { bestExperts, memberMask, NO_CONTENDER } from '../gates/select.js'
import type { Value } from '../graph/builder.js'
import { cast, expand, gather, greater, greaterOrEqual, mul, reshape, sum } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { random } from '../random/stream.js'
import type { Tensor } from '../tensor.js'
import type { PolicyOf } from './config.js'
import { type Decision, maskOf, type PolicyOperands } from './decision.js'
import { keptIndices } from './token-choice.js'

function equally(
  operands: PolicyOperands,
  k: number,
  selected: Value,
  indices: Value,
  margin: Value,
): Decision {
  const { logits, valid, state } = operands
  const mask = maskOf(greater(selected, 0), valid)
  const kept = valid ? keptIndices(indices, mask) : indices
  return {
    mask,
    weights: mul(mask, 1 / k),
    shared: expand(logits.builder.constant(1, [1, 1]), [1, logits.shape[1] as Dim]),
    indices: kept,
    chosen: mul(cast(greaterOrEqual(kept, 0), 'float32'), 1 / k),
    margin,
    load: sum(mask, 1),
    losses: {},
    state,
  }
}

const missing = (what: string): never => {
  throw new FepError('FEP_BAD_GRAPH', `this policy decides on ${what}, which the operands lack`)
}

/** The k experts with the largest uniform numbers. */
export function atRandom({ k }: PolicyOf<'random'>, operands: PolicyOperands): Decision {
  const { indices, margin, mask } = bestExperts(operands.uniform ?? missing('`uniform` (E, N)'), k)
  return equally(operands, k, mask(), indices, margin)
}

/**
 * First expert of every token id: a seeded permutation of the vocabulary, modulo E, so that experts own equally many ids.
 */
export function hashTable({ vocabulary, seed, experts }: PolicyOf<'hash'>): number[] {
  return Array.from(random(seed, 'hash').permutation(vocabulary), (place) => place % experts)
}

/** @throws FEP_BAD_FEED unless ids are int32 in 0..vocabulary − 1 */
export function checkIds({ vocabulary }: PolicyOf<'hash'>, ids: Tensor): void {
  if (ids.dtype !== 'int32')
    throw new FepError('FEP_BAD_FEED', `'ids' are ${ids.dtype}; expected int32 (batch, time)`)
  for (const id of ids.data)
    if (id < 0 || id >= vocabulary)
      throw new FepError('FEP_BAD_FEED', `'ids' hold ${id}; accepted: 0..${vocabulary - 1}`)
}

/** The experts of each token's id: that of the table and those after it. */
export function byHash(policy: PolicyOf<'hash'>, operands: PolicyOperands): Decision {
  const { k, experts, vocabulary } = policy
  const { builder } = operands.logits
  const ids = operands.ids ?? missing('`ids` (1, N)')
  const tokens = operands.logits.shape[1] as Dim
  const rows = hashTable(policy)
  const table = builder.constant(
    Array.from({ length: k }, (_, j) => rows.map((first) => (first + j) % experts)).flat(),
    [k, vocabulary],
    'int32',
  )
  const indices = gather(table, reshape(ids, [tokens]), 1)
  const margin = expand(builder.constant(NO_CONTENDER, [1, 1]), [1, tokens])
  return equally(operands, k, memberMask(indices, experts), indices, margin)
}

/** From embeddings and expert weights to logits: residual, LayerNorm and head, plainly or by tables. */
import type { Value } from '../graph/builder.js'
import {
  add,
  concat,
  div,
  expand,
  layerNorm,
  matmul,
  max,
  mean,
  mul,
  permute,
  reshape,
  sqrt,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { applyExperts } from './experts.js'
import type { ResolvedLanguageModel } from './language-model-config.js'
import type { Lookup } from './lookup.js'

/** What both forms read. N tokens, features first. */
export interface HeadOperands {
  readonly params: Readonly<Record<string, Value>>
  /** The embedding table (d, V). */
  readonly table: Value
  readonly tokens: Lookup
  /** Embeddings of the tokens (d, N). */
  readonly embedded: Value
  /** Weights of the experts (E, N). */
  readonly weights: Value
}

const column = (x: Value): Value => reshape(x, [x.shape[0] as number, 1])

/** Logits (V, N), layer after layer. */
export function plainHead(
  { experts, epsilon }: ResolvedLanguageModel,
  { params, embedded, weights }: HeadOperands,
): Value {
  const outputs = applyExperts(experts, params, embedded)
  const mixed = sum(mul(reshape(weights, [experts.count, 1, weights.shape[1] as Dim]), outputs), 0)
  const normed = layerNorm(
    add(embedded, mixed),
    column(params['norm.weight'] as Value),
    column(params['norm.bias'] as Value),
    0,
    epsilon,
  )
  return add(matmul(params['head.weight'] as Value, normed), column(params['head.bias'] as Value))
}

/**
 * Logits (V, N) by tables. With a_0(v) the embedding of entry v, a_i(v) what expert i makes of it, both less their mean
 * over features, and c = (1, g): LayerNorm's input less its mean is Σ c_i a_i, its variance Σ c_i c_j a_i·a_j / d, and the
 * logits are Σ c_i (H diag(w) a_i) / √(variance + ε) + H b + head bias. Only the sums over i are taken per token.
 */
export function tableHead(
  { experts, epsilon, vocabulary }: ResolvedLanguageModel,
  { params, table, tokens, weights }: HeadOperands,
): Value {
  const { inputs: dim, count } = experts
  const parts = count + 1
  const total = weights.shape[1] as Dim
  const raw = concat([reshape(table, [1, dim, vocabulary]), applyExperts(experts, params, table)], 0)
  const centered = sub(raw, mean(raw, 1, true))
  const head = params['head.weight'] as Value
  const scaled = mul(centered, reshape(params['norm.weight'] as Value, [1, dim, 1]))
  // (V', parts · V): entry (v', (i, v)) is what part i of entry v adds to the logit of v'.
  const logitTable = reshape(permute(matmul(head, scaled), [1, 0, 2]), [vocabulary, parts * vocabulary])
  const products = mul(
    reshape(centered, [parts, 1, dim, vocabulary]),
    reshape(centered, [1, parts, dim, vocabulary]),
  )
  const quadratic = reshape(mean(products, 2), [parts * parts, vocabulary])

  const one = expand(weights.builder.constant(1, [1, 1]), [1, total])
  const coefficients = concat([one, weights], 0)
  const c = (shape: readonly Dim[]) => reshape(coefficients, [...shape, total])
  const form = reshape(tokens.of(quadratic), [parts, parts, total])
  const variance = max(sum(mul(mul(form, c([parts, 1])), c([1, parts])), [0, 1]), 0)
  const deviation = reshape(sqrt(add(variance, epsilon)), [1, total])
  const summed = tokens.hot
    ? matmul(
        logitTable,
        reshape(mul(reshape(tokens.hot, [1, vocabulary, total]), c([parts, 1])), [parts * vocabulary, total]),
      )
    : sumGathered(logitTable, tokens, c([parts, 1]), parts, vocabulary)
  const constant = add(
    matmul(head, column(params['norm.bias'] as Value)),
    column(params['head.bias'] as Value),
  )
  return add(div(summed, deviation), constant)
}

/** Σ_i c_i L_i(v) where the vocabulary is too large for one-hot columns: (V', N). */
function sumGathered(
  logitTable: Value,
  tokens: Lookup,
  coefficients: Value,
  parts: number,
  vocabulary: number,
): Value {
  const byPart = permute(reshape(logitTable, [vocabulary, parts, vocabulary]), [1, 0, 2])
  const rows = tokens.of(reshape(byPart, [parts * vocabulary, vocabulary]))
  return sum(mul(reshape(rows, [parts, vocabulary, coefficients.shape.at(-1) as Dim]), coefficients), 0)
}

/** Graphs of the language model: tokens in, logits or losses out. */
import { composeGate, gateParams } from '../gates/compose.js'
import { unflattenTokens } from '../gates/feature-major.js'
import { declarePerToken, declarePrecision, declareStates, returnStates } from '../gates/feeds.js'
import { linearSpecs, type ParameterSpec } from '../gates/parameters.js'
import { selectExperts } from '../gates/select.js'
import { savesProducts } from '../gates/token-table.js'
import { GraphBuilder, type Value } from '../graph/builder.js'
import {
  add,
  cast,
  crossEntropyRows,
  mul,
  not,
  permute,
  reshape,
  slice,
  stopGradient,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { weightedMean } from '../losses/losses.js'
import { expertParams } from './experts.js'
import type { ResolvedLanguageModel } from './language-model-config.js'
import { plainHead, tableHead } from './language-model-head.js'
import { lookup } from './lookup.js'
import { partOf, prefixed } from './prefix.js'

/** Parameters, in state-dict order: `embed.weight`, `router.*`, `experts.e.{0,2}.*`, `norm.*`, `head.*`. */
export function languageModelParams(model: ResolvedLanguageModel): readonly ParameterSpec[] {
  const { vocabulary, gate, experts } = model
  const { dim } = gate
  const vector = (name: string, value: number): ParameterSpec => ({
    name,
    shape: [dim],
    fanIn: dim,
    fanOut: dim,
    kind: 'values',
    values: new Array<number>(dim).fill(value),
  })
  return [
    { name: 'embed.weight', shape: [vocabulary, dim], fanIn: vocabulary, fanOut: dim, kind: 'normal' },
    ...prefixed('router', gateParams(gate)),
    ...expertParams(experts),
    vector('norm.weight', 1),
    vector('norm.bias', 0),
    ...linearSpecs('head', dim, vocabulary),
  ]
}

/** What a graph of the model takes. */
export interface LanguageModelForm {
  /** T >= 0. */
  readonly steps: number
  /** Take and return the gate's states. */
  readonly state?: boolean
  /** Take `reset`, bool (B,T). */
  readonly reset?: boolean
}

function emit(builder: GraphBuilder, model: ResolvedLanguageModel, form: LanguageModelForm) {
  const { vocabulary, gate: config } = model
  const { steps } = form
  const params = Object.fromEntries(
    languageModelParams(model).map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
  )
  const ids = declarePerToken(builder, 'x', 'int32', steps, 'batch-major')
  const precision = declarePrecision(builder, config, steps, 'batch-major')
  const reset = form.reset ? declarePerToken(builder, 'reset', 'bool', steps, 'batch-major') : undefined
  const tokens = builder.scope('embed', () => lookup(reshape(ids, [-1]), vocabulary))
  const table = permute(params['embed.weight'] as Value)
  const embedded = builder.scope('embed', () => tokens.of(table))
  const x = reshape(embedded, [config.dim, ...ids.shape])
  const entries =
    model.form === 'tables' && tokens.hot && savesProducts(config.dim, vocabulary)
      ? { table, hot: tokens.hot }
      : undefined
  const gate = builder.scope('router', () =>
    composeGate(builder, config, {
      params: partOf('router', params),
      x,
      ...(entries && { tokens: entries }),
      state: form.state ? declareStates(builder, config) : {},
      ...(precision && { precision }),
      ...(reset && { reset }),
    }),
  )
  const chosen = builder.scope('router', () => selectExperts(config, gate.logits, gate.drive))
  const head = model.form === 'tables' ? tableHead : plainHead
  const logits = builder.scope('head', () =>
    head(model, { params, table, tokens, embedded, weights: chosen.weights }),
  )
  return { gate, chosen, x, reset, logits: unflattenTokens(logits, x) }
}

/** The sequence form. Results: `logits` (B,T,V), `weights` (B,T,E), `indices` (B,T,k), `margin` (B,T), `state/NAME`. */
export function languageModelGraph(model: ResolvedLanguageModel, form: LanguageModelForm): Graph {
  const builder = new GraphBuilder('language-model')
  const { gate, chosen, x, logits } = emit(builder, model, form)
  const edge = (v: Value) => permute(unflattenTokens(v, x))
  builder.output('logits', permute(logits))
  builder.output('weights', edge(chosen.weights))
  builder.output('indices', edge(chosen.indices))
  builder.output('margin', permute(reshape(chosen.margin, [form.steps, 'batch'])))
  if (form.state) returnStates(builder, gate.states)
  return builder.build()
}

/** What the loss of the model is. */
export interface LanguageModelLoss {
  /**
   * Weighted token losses are divided by the number of `tokens` (the paper's code), or by the sum of `weights`. Default
   * `tokens`.
   */
  readonly divideBy?: 'tokens' | 'weights'
  /** Weight of the prediction loss beside the token loss, >= 0. Default: `anticipation.lossWeight`. */
  readonly predictionWeight?: number
}

/**
 * The training form. Feeds: parameters, `x` and `y` int32 (B,T), and where asked `weights` (B,T), `reset`, `precision`.
 * Results: `loss`, `token_loss` (B,T), `prediction_loss` (0 without a predictor or for T = 1), and `weights` (B,T,E).
 */
export function languageModelLossGraph(
  model: ResolvedLanguageModel,
  form: LanguageModelForm & { readonly weights?: boolean; readonly loss: Required<LanguageModelLoss> },
): Graph {
  const builder = new GraphBuilder('language-model/training')
  const { steps, loss } = form
  const { gate, x, logits, reset } = emit(builder, model, form)
  const y = declarePerToken(builder, 'y', 'int32', steps, 'batch-major')
  const weights = form.weights
    ? declarePerToken(builder, 'weights', 'float32', steps, 'batch-major')
    : undefined
  builder.scope('loss', () => {
    const rows = crossEntropyRows(logits, y, 0)
    const divideBy = loss.divideBy === 'tokens' ? 'rows' : 'weights'
    const tokenLoss = weightedMean(rows, weights ? { weights, divideBy } : {})
    const predicted = gate.xHat && steps > 1 ? predictionLoss(gate.xHat, x, reset) : builder.constant(0)
    const counts = gate.xHat && steps > 1 && loss.predictionWeight !== 0
    builder.output('loss', counts ? add(tokenLoss, mul(predicted, loss.predictionWeight)) : tokenLoss)
    builder.output('token_loss', permute(rows))
    builder.output('prediction_loss', predicted)
  })
  return builder.build()
}

/** Mean over tokens that have a successor in the same document, and features, of (x̂_t − sg(e_{t+1}))². */
function predictionLoss(xHat: Value, x: Value, reset: Value | undefined): Value {
  const [dim, steps] = x.shape as [number, number]
  const d = sub(slice(xHat, 1, 0, steps - 1), stopGradient(slice(x, 1, 1)))
  const rows = mul(sum(mul(d, d), 0), 1 / dim)
  return weightedMean(rows, reset ? { weights: cast(not(slice(reset, 0, 1)), 'float32') } : {})
}

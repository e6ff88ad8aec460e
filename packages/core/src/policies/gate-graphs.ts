/**
 * Graphs of a gate with a policy. The gate is the one that everybody else uses: its graph is built first, its batch bound
 * where the policy must know the number of tokens, and the policy is appended to its logits.
 */
import { flattenTokens, project, swapLayout, unflattenTokens } from '../gates/feature-major.js'
import { declareTokens } from '../gates/feeds.js'
import { lossGraph } from '../gates/loss.js'
import type { ResolvedLoss } from '../gates/loss-config.js'
import { SATURATION, type SequenceOptions, sequenceGraph } from '../gates/sequence.js'
import { extendGraph, GraphBuilder, type Value } from '../graph/builder.js'
import { add, clip, permute, reshape, slice, softplus, sum } from '../graph/expressions.js'
import type { Dim, Graph } from '../graph/types.js'
import { bindBatch } from '../passes/bind-batch.js'
import { cosineScores } from './cosine.js'
import type { Decision } from './decision.js'
import type { SparseGateModel } from './gate-model.js'
import { decide, promisesOf } from './policy.js'
import { frozenStates, policyStates } from './state.js'

/** Feeds and results that are a policy's state carry this prefix. */
export const POLICY = 'policy/'

/** What the graph of a gate with a policy takes and returns. */
export interface SparseGraphOptions extends Omit<SequenceOptions, 'layout'> {
  /** B, where the policy must know the number of tokens. Default: symbolic. */
  readonly batch?: number
  /** Decide as in training, take the whole state of the policy and return it accumulated. Default false. */
  readonly training?: boolean
  /** Take `valid`, bool (B,T): false for padding. Default false. */
  readonly valid?: boolean
  /** Also return `chosen` (B,T,k), the weights of `indices`, where every token takes k experts. Default false. */
  readonly chosen?: boolean
}

/** Gates on cosines have a graph of their own. */
function cosineGraph({ gate }: SparseGateModel, steps: number): Graph {
  const builder = new GraphBuilder('gate')
  const prototypes = builder.input('expert_prototypes', 'float32', [gate.experts, gate.dim])
  const x = clip(declareTokens(builder, 'x', gate.dim, steps, 'batch-major'), -SATURATION, SATURATION)
  const scores = builder.scope('affinity', () => cosineScores(flattenTokens(x), prototypes))
  builder.output('logits', swapLayout(unflattenTokens(scores, x)))
  return builder.build()
}

/** Logits (E, T, B) of a graph that returns (B, T, E). */
function featureMajor(logits: Value): Value {
  const from = logits.node?.op === 'Transpose' ? logits.node.inputs[0] : undefined
  return from ?? swapLayout(logits)
}

/** Declares the policy's feeds and emits its decision on logits (E, T, B). */
function emitPolicy(
  builder: GraphBuilder,
  { policy, gate }: SparseGateModel,
  logits: Value,
  x: Value,
  { training = false, valid = false }: Pick<SparseGraphOptions, 'training' | 'valid'>,
): Decision {
  const [experts, steps, batch] = logits.shape as [number, number, Dim]
  const states = training ? policyStates(policy) : frozenStates(policy)
  const state = Object.fromEntries(
    states.map(({ name, shape }) => [name, builder.input(POLICY + name, 'float32', shape)]),
  )
  const perExpert = (name: string) =>
    flattenTokens(swapLayout(builder.input(name, 'float32', [batch, steps, experts])))
  const perToken = (name: string, dtype: 'bool' | 'int32') =>
    permute(builder.input(name, dtype, [batch, steps]))
  const flat = flattenTokens(logits)
  const noise = training && policy.kind === 'token-choice' ? policy.noise : null
  const scale = () => {
    const weight = builder.input('W_noise.weight', 'float32', [experts, gate.dim])
    const tokens = slice(clip(swapLayout(x), -SATURATION, SATURATION), 1, 0, steps)
    return softplus(project(flattenTokens(tokens), weight))
  }
  return builder.scope('select', () =>
    decide(policy, {
      logits: flat,
      steps,
      state,
      training,
      ...(valid && { valid: perToken('valid', 'bool') }),
      ...(noise && { noise: perExpert('noise') }),
      ...(noise?.kind === 'learned' && { noiseScale: scale() }),
      ...(policy.kind === 'random' && { uniform: perExpert('uniform') }),
      ...(policy.kind === 'hash' && { ids: reshape(perToken('ids', 'int32'), [1, flat.shape[1] as Dim]) }),
    }),
  )
}

/** State is returned as it was taken, with what was accumulated. */
function returnState(builder: GraphBuilder, { state }: Decision): void {
  for (const [name, value] of Object.entries(state)) builder.output(POLICY + name, value)
}

/**
 * The sequence form. Feeds and results as those of `sequenceGraph`; feeds beside them `policy/NAME`, and by policy `valid`
 * (B,T), `noise` (B,T,E) and `W_noise.weight`, `uniform` (B,T,E), `ids` (B,T). Results beside them `mask` (B,T,E), `shared`
 * (B,T), `load` (E), and in training `policy/NAME`, `penalty`, `dropped` (B,T,E), `clamped` (E), where there are any.
 */
export function sparseSequenceGraph(model: SparseGateModel, options: SparseGraphOptions): Graph {
  const { batch, training = false, valid, chosen, ...sequence } = options
  const symbolic =
    model.policy.kind === 'cosine-threshold'
      ? cosineGraph(model, options.steps)
      : sequenceGraph(model.gate, sequence)
  const base = batch === undefined ? symbolic : bindBatch(symbolic, batch)
  const { builder, values } = extendGraph(base, { outputs: false })
  const edges = new Map(base.outputs.map((o) => [o.name, values.get(o.value) as Value]))
  const logits = featureMajor(edges.get('logits') as Value)
  const decision = emitPolicy(builder, model, logits, values.get('x') as Value, {
    training,
    valid: valid ?? false,
  })
  const perToken = (v: Value) => swapLayout(unflattenTokens(v, logits))
  const alone = (v: Value) => permute(reshape(v, logits.shape.slice(1)))
  builder.output('weights', perToken(decision.weights))
  builder.output('indices', perToken(decision.indices))
  builder.output('margin', alone(decision.margin))
  for (const [name, value] of edges)
    if (name !== 'weights' && name !== 'indices' && name !== 'margin') builder.output(name, value)
  builder.output('mask', perToken(decision.mask))
  builder.output('shared', alone(decision.shared))
  builder.output('load', decision.load)
  if (chosen && decision.chosen) builder.output('chosen', perToken(decision.chosen))
  if (!training) return builder.build()
  if (decision.penalty) builder.output('penalty', decision.penalty)
  if (decision.dropped) builder.output('dropped', perToken(decision.dropped))
  if (decision.clamped) builder.output('clamped', decision.clamped)
  returnState(builder, decision)
  return builder.build()
}

/** What a loss graph of a gate with a policy takes. */
export interface SparseLossOptions {
  readonly steps: number
  /** B, where the policy must know it in training. */
  readonly batch?: number
  readonly loss: ResolvedLoss
  readonly reset?: boolean
  readonly mask?: boolean
  readonly valid?: boolean
}

/**
 * The training form: `loss` (routing and prediction loss as of the gate, plus router losses with their coefficients),
 * `logits` (E,T',B), `load` (E), `policy/NAME`, and where there are any `dropped` (E), `clamped` (E). The policy decides on
 * the steps that are scored.
 */
export function sparseLossGraph(model: SparseGateModel, options: SparseLossOptions): Graph {
  const { batch, valid = false, ...rest } = options
  const symbolic = lossGraph(model.gate, rest)
  const base =
    batch === undefined || !promisesOf(model.policy).boundInTraining ? symbolic : bindBatch(symbolic, batch)
  const { builder, values } = extendGraph(base, { outputs: false })
  const [loss, logits] = base.outputs.map((o) => values.get(o.value)) as [Value, Value]
  const decision = emitPolicy(builder, model, logits, values.get('x') as Value, { training: true, valid })
  builder.output('loss', decision.penalty ? add(loss, decision.penalty) : loss)
  builder.output('logits', logits)
  builder.output('load', decision.load)
  if (decision.dropped) builder.output('dropped', sum(decision.dropped, 1))
  if (decision.clamped) builder.output('clamped', decision.clamped)
  returnState(builder, decision)
  return builder.build()
}

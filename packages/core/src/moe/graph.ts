/** Graphs of a sparse layer: the gate with its policy, rows sorted by expert, experts on rows, and the way back to tokens. */

import type { ParameterSpec } from '../gates/parameters.js'
import { GraphBuilder, importGraph, type Value } from '../graph/builder.js'
import {
  add,
  cast,
  div,
  expand,
  gather,
  greater,
  max,
  mean,
  mul,
  reshape,
  scatterElementsAdd,
  slice,
  sub,
  sum,
} from '../graph/expressions.js'
import type { Graph, ValueInfo } from '../graph/types.js'
import { prefixed } from '../models/prefix.js'
import { POLICY, sparseSequenceGraph } from '../policies/gate-graphs.js'
import { sparseGateParams } from '../policies/gate-model.js'
import type { ResolvedMoeLayer } from './config.js'
import { dispatchFixed, dispatchMasked, type Rows } from './dispatch.js'
import { applyShared, applyToRows, rowExpertParams, sharedExpertParams } from './experts.js'
import { rowBound } from './rows.js'

/** Parameters of a layer, in state-dict order: `router.*`, `experts.e.*`, `shared.*`. */
export const moeLayerParams = (model: ResolvedMoeLayer): readonly ParameterSpec[] => [
  ...prefixed('router', sparseGateParams(model)),
  ...rowExpertParams(model.experts),
  ...(model.shared ? sharedExpertParams(model.shared.experts) : []),
]

/** What a graph of a layer takes and returns. */
export interface MoeLayerForm {
  /** B >= 1. */
  readonly batch: number
  /** T >= 1. */
  readonly steps: number
  /**
   * R: rows that are computed, where the policy does not fix them: what `load` sums up to must not be more. Default: as many as
   * the policy may ever let through.
   */
  readonly rows?: number | undefined
  /** Decide as in training, take the whole state of the policy and return it accumulated. Default false. */
  readonly training?: boolean
  /** Take `valid`, bool (B,T): false for padding. Default false. */
  readonly valid?: boolean
  /** Take `reset`, bool (B,T): a new document starts here. Default false. */
  readonly reset?: boolean
  /** Take and return the gate's states. Default false. */
  readonly state?: boolean
  /** Return the whole routing beside `y` and `load`. Default false. */
  readonly details?: boolean
}

/** Rows that are enough whatever the policy decides. */
function mostRows({ policy }: ResolvedMoeLayer, { batch, steps, training = false }: MoeLayerForm): number {
  const bound = rowBound(policy, { batch, steps, training })
  return bound.kind === 'fixed' ? bound.k * batch * steps : Math.max(bound.most, 1)
}

/** A layer under construction. */
interface Emitted {
  readonly builder: GraphBuilder
  /** (B, T, d) */
  readonly y: Value
  /** (N, d), N = B · T in order of (sequence, time). */
  readonly tokens: Value
  readonly rows: Rows
  /** (R, d) */
  readonly results: Value
  /** What routing returned, by name. */
  readonly routed: ReadonlyMap<string, Value>
}

function emit(model: ResolvedMoeLayer, form: MoeLayerForm, name: string): Emitted {
  const { batch, steps, training = false, valid = false, reset = false, state = false } = form
  const { experts, shared, residual } = model
  const count = batch * steps
  const routing = sparseSequenceGraph(model, {
    batch,
    steps,
    training,
    valid,
    reset,
    state,
    details: form.details ?? false,
    chosen: true,
  })
  const builder = new GraphBuilder(name)
  const own = new Set(sparseGateParams(model).map((spec) => spec.name))
  const bindings = Object.fromEntries(
    routing.inputs.map((input) => {
      const { dtype, shape } = routing.values[input] as ValueInfo
      return [input, builder.input(own.has(input) ? `router.${input}` : input, dtype, shape)]
    }),
  )
  const params = Object.fromEntries(
    moeLayerParams(model)
      .slice(own.size)
      .map((spec) => [spec.name, builder.input(spec.name, 'float32', spec.shape)]),
  )
  const values = importGraph(builder, routing, bindings)
  const routed = new Map(routing.outputs.map((o) => [o.name, values.get(o.value) as Value]))
  const perToken = (what: string): Value => {
    const v = routed.get(what) as Value
    return reshape(v, [count, v.shape.slice(2).reduce<number>((n, d) => n * (d as number), 1)])
  }
  const tokens = reshape(bindings.x as Value, [count, experts.dim])
  const rows = builder.scope('dispatch', () =>
    routed.has('chosen')
      ? dispatchFixed(perToken('indices'), perToken('chosen'), experts.count)
      : dispatchMasked(perToken('mask'), perToken('weights'), form.rows ?? mostRows(model, form)),
  )
  const results = builder.scope('experts', () =>
    applyToRows(experts, params, gather(tokens, rows.tokens), rows),
  )
  let y = builder.scope('combine', () => rows.combine(results, [batch, steps]))
  if (shared) {
    const own = builder.scope('shared', () => applyShared(shared.experts, params, tokens))
    y = add(y, reshape(shared.weight === 'one' ? own : mul(own, perToken('shared')), y.shape))
  }
  return { builder, y: residual ? add(y, bindings.x as Value) : y, tokens, rows, results, routed }
}

/** Everything but what a layer returns in a form of its own. */
const OWN = new Set(['load', 'chosen'])
/** What training accumulates and reports. */
const TRAINED = new Set(['penalty', 'dropped', 'clamped'])

/**
 * The sequence form. Feeds: parameters, `x` (B,T,d), and those of the gate and its policy (`policy/NAME`, `precision`, `valid`,
 * `noise`, `uniform`, `ids`, `state/NAME`). Results: `y` (B,T,d) and `load` (E); with details what the gate returns; in
 * training `policy/NAME`, and where there are any `penalty`, `dropped` (B,T,E), `clamped` (E); `state/NAME` with state.
 */
export function moeLayerGraph(model: ResolvedMoeLayer, form: MoeLayerForm): Graph {
  const { details = false } = form
  const { builder, y, rows, routed } = emit(model, form, 'moe')
  builder.output('y', y)
  builder.output('load', rows.load)
  for (const [name, value] of routed) {
    const carried = name.startsWith(POLICY) || name.startsWith('state/') || TRAINED.has(name)
    if (!OWN.has(name) && (details || carried)) builder.output(name, value)
  }
  return builder.build()
}

/**
 * The training form. Feeds as above, and `targets` (B,T,d). Results: `loss`, the mean of (y − targets)² over tokens that are no
 * padding, plus router losses with their coefficients; `task`, without them; `load` (E), `policy/NAME`; where there are any,
 * `dropped` (E), `clamped` (E); where the gate has precision, `errors` (E): the mean squared error that each expert alone would
 * have made on its tokens, 0 where it had none.
 */
export function moeLayerLossGraph(
  model: ResolvedMoeLayer,
  form: Omit<MoeLayerForm, 'details' | 'state'>,
): Graph {
  const { batch, steps } = form
  const { dim, count } = model.experts
  const size = batch * steps
  const { builder, y, tokens, rows, results, routed } = emit(
    model,
    { ...form, training: true },
    'moe/training',
  )
  const targets = builder.input('targets', 'float32', [batch, steps, dim])
  const task = builder.scope('loss', () => {
    const d = sub(y, targets)
    const each = mean(mul(d, d), 2)
    const valid = builder.inputs.find(({ name }) => name === 'valid')?.value
    if (!valid) return mean(each)
    const real = cast(valid, 'float32')
    return div(sum(mul(each, real)), max(1, sum(real)))
  })
  const penalty = routed.get('penalty')
  builder.output('loss', penalty ? add(task, penalty) : task)
  builder.output('task', task)
  builder.output('load', rows.load)
  const dropped = routed.get('dropped')
  if (dropped) builder.output('dropped', sum(dropped, [0, 1]))
  const clamped = routed.get('clamped')
  if (clamped) builder.output('clamped', clamped)
  if (model.gate.precision)
    builder.output(
      'errors',
      builder.scope('errors', () => {
        const alone = model.residual ? add(results, gather(tokens, rows.tokens)) : results
        const d = sub(alone, gather(reshape(targets, [size, dim]), rows.tokens))
        const none = expand(builder.constant(0, [1]), [count + 1])
        const total = scatterElementsAdd(none, rows.experts, mean(mul(d, d), 1), 0)
        const ran = greater(rows.load, 0)
        return mul(div(slice(total, 0, 0, count), max(1, rows.load)), cast(ran, 'float32'))
      }),
    )
  for (const [name, value] of routed) if (name.startsWith(POLICY)) builder.output(name, value)
  return builder.build()
}

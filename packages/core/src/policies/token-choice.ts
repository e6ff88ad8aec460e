/** Token choice: top-k, its noise, its weights, its losses, its loss-free bias, and capacity. */

import { bestExperts } from '../gates/select.js'
import type { Value } from '../graph/builder.js'
import {
  add,
  cast,
  div,
  exp,
  expand,
  gatherElements,
  greater,
  max,
  mul,
  reduceMax,
  relu,
  reshape,
  sigmoid,
  softmax,
  stopGradient,
  sub,
  sum,
  where,
} from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { withinCapacity } from './capacity.js'
import type { PolicyOf } from './config.js'
import { type Decision, LOWEST, less, maskOf, type PolicyOperands } from './decision.js'
import { loadBalanceLoss, routerZLoss } from './losses.js'
import { anchoredSoftmax } from './weights.js'

type TokenChoice = PolicyOf<'token-choice'>

/** `indices` with −1 where the mask (E, N) has nothing. */
export const keptIndices = (indices: Value, mask: Value): Value =>
  where(greater(gatherElements(mask, indices, 0), 0), indices, -1)

/** Scores of all experts (E, N) that become weights and balance the load. */
function scoresOf({ weights, anchor }: TokenChoice, logits: Value): Value {
  if (weights === 'sigmoid') return sigmoid(logits)
  if (weights === 'relu') return relu(logits)
  return anchor ? anchoredSoftmax(logits).experts : softmax(logits, 0)
}

/** Weights of the selected before any is dropped. */
function weightsOf({ weights, anchor, normalize }: TokenChoice, logits: Value, all: Value, chosen: Value) {
  const selected = cast(chosen, 'float32')
  if (!normalize) return mul(all, selected)
  const least = 1e-20
  if (weights !== 'softmax' || anchor) {
    const raw = mul(all, selected)
    return div(raw, max(least, sum(raw, 0, true)))
  }
  // Not a quotient of softmaxes: a bias may select experts that the whole softmax rounds to 0.
  const scores = where(chosen, logits, LOWEST)
  const raw = mul(exp(sub(scores, stopGradient(reduceMax(scores, 0, true)))), selected)
  return div(raw, max(least, sum(raw, 0, true)))
}

/** The same for the selected alone (k, N): nothing here is as wide as all experts but the scores. */
function weightsOfBest(
  { weights, anchor, normalize, scale }: TokenChoice,
  logits: Value,
  all: Value,
  indices: Value,
) {
  const scaled = (w: Value) => (scale === 1 ? w : mul(w, scale))
  if (normalize && weights === 'softmax' && !anchor)
    return scaled(softmax(gatherElements(logits, indices, 0), 0))
  const raw = gatherElements(all, indices, 0)
  return scaled(normalize ? div(raw, max(1e-20, sum(raw, 0, true))) : raw)
}

/** Decides for each token. */
export function byTokenChoice(policy: TokenChoice, operands: PolicyOperands): Decision {
  const { state, valid, training, noise, noiseScale } = operands
  const { noise: noisy, k } = policy
  const tokens = operands.logits.shape[1] as Dim
  const logits =
    training && noisy && noise
      ? add(operands.logits, mul(noise, noisy.kind === 'normal' ? noisy.std : (noiseScale as Value)))
      : operands.logits
  const all = scoresOf(policy, logits)
  const biased = state.bias
    ? add(policy.biasOn === 'scores' ? all : logits, reshape(state.bias, [policy.experts, 1]))
    : logits
  const { indices, margin, mask: selected } = bestExperts(stopGradient(biased), k)
  const chosen = greater(selected(), 0)
  const wanted = maskOf(chosen, valid)
  const mask =
    training && policy.capacity ? withinCapacity(policy, policy.capacity, operands, all, wanted) : wanted
  const weights = mul(
    weightsOf(policy, logits, all, chosen),
    policy.scale === 1 ? mask : mul(mask, policy.scale),
  )
  const { balance, balanceForm: form, zLoss } = policy
  const best = weightsOfBest(policy, logits, all, indices)
  const dropless = mask === wanted && !valid
  const losses: Record<string, Value> = {}
  if (training && balance > 0)
    losses.balance = loadBalanceLoss(all, wanted, { k, form, ...(valid && { valid }) })
  if (training && zLoss > 0) losses.z = routerZLoss(operands.logits, valid)
  const penalties = [losses.balance && mul(losses.balance, balance), losses.z && mul(losses.z, zLoss)]
  const penalty = penalties.reduce((a, b) => (a && b ? add(a, b) : (a ?? b)), undefined)
  return {
    mask,
    weights,
    shared: expand(logits.builder.constant(1, [1, 1]), [1, tokens]),
    indices: dropless ? indices : keptIndices(indices, mask),
    chosen: dropless ? best : mul(best, gatherElements(mask, indices, 0)),
    margin,
    load: sum(mask, 1),
    ...(mask === wanted ? {} : { dropped: sub(wanted, mask) }),
    losses,
    ...(penalty ? { penalty } : {}),
    state: training && state.bias ? counted(state, wanted) : state,
  }
}

const counted = (state: PolicyOperands['state'], wanted: Value) => ({
  ...state,
  count: add(state.count as Value, 1),
  taken: add(state.taken as Value, sum(wanted, 1)),
})

/** One step of the loss-free bias: + rate for experts below the mean load, − rate above; clears the counts. */
export function settleBias(
  { biasRate }: TokenChoice,
  state: PolicyOperands['state'],
): PolicyOperands['state'] {
  const { bias, count, taken } = state as Record<'bias' | 'count' | 'taken', Value>
  const zero = (v: Value) => expand(v.builder.constant(0), v.shape)
  const load = div(taken, max(1, count))
  const mean = mul(sum(load, 0, true), 1 / (load.shape[0] as number))
  const sign = sub(cast(less(load, mean), 'float32'), cast(greater(load, mean), 'float32'))
  return { bias: add(bias, mul(sign, biasRate)), count: zero(count), taken: zero(taken) }
}

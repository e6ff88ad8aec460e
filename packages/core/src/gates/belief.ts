/**
 * The belief gate: a recursive Bayes filter with learned parameters over (state, phase). Loaded on demand
 * (`on-demand.ts`).
 */
import type { GraphBuilder, Value } from '../graph/builder.js'
import {
  add,
  exp,
  expand,
  greater,
  log,
  matmul,
  mean,
  mul,
  neg,
  pad,
  permute,
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
import type { Belief } from './belief-parameters.js'
import { FLOOR, runFilter, type Wanted } from './belief-step.js'
import type { GateOperands, GateValues } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { flattenTokens, project, unflattenTokens } from './feature-major.js'
import { clampPrecision } from './precision.js'
import { tokenLayer } from './token-table.js'

/** Leaving is for another state: this in place of a logit is probability 0. */
const NEVER = -1e20

/** Emits a belief gate. `precision`: Π as it is applied, (E) or (E, N). */
export function composeBelief(
  builder: GraphBuilder,
  config: ResolvedGateConfig & { readonly belief: Belief },
  operands: GateOperands,
  precision: Value | undefined,
): GateValues {
  const { belief, experts } = config
  const { params, x: tokens, details = false } = operands
  const parameter = (name: string) => mul(params[name] as Value, belief.gain)
  const readout = softmax(parameter('readout'), 0)
  const evidence = builder.scope('evidence', () => {
    const plain = logEvidence(belief, operands)
    if (config.precision?.kind !== 'gain' || !precision) return plain
    // What all states share is no evidence, so Π must not weigh it.
    const pi = matmul(permute(readout), perExpert(clampPrecision(precision)))
    return mul(sub(plain, mean(plain, 0, true)), pi)
  })
  const best = stopGradient(reduceMax(evidence, 0, true))
  const wanted: readonly Wanted[] = [
    'expected',
    ...(belief.horizon === 0 || details ? (['filtered'] as const) : []),
    ...(details ? (['normalizer'] as const) : []),
  ]
  const weight = unflattenTokens(exp(sub(evidence, best)), tokens)
  const found = builder.scope('belief', () => filter(belief, operands, weight, parameter, wanted, details))
  const decide = (name: 'filtered' | 'expected') =>
    builder.scope('readout', () => {
      const states = reshape(found[name] as Value, evidence.shape)
      const logits = log(add(matmul(readout, states), FLOOR))
      return config.precision?.kind === 'evidence' && precision
        ? add(logits, log(perExpert(clampPrecision(precision))))
        : logits
    })
  const ahead = belief.horizon === 1
  const logits = decide(ahead ? 'expected' : 'filtered').named('logits')
  const time = tokens.shape.slice(1)
  return {
    logits,
    next: () => softmax(ahead ? logits : decide('expected'), 0),
    states: { belief: reshape(found.last, [belief.phases * belief.states, 1, time[1] as Dim]) },
    ...(details && {
      details: {
        belief: reshape(found.history as Value, [belief.phases * belief.states, ...time]),
        present: unflattenTokens(softmax(ahead ? decide('filtered') : logits, 0), tokens),
        surprise: neg(
          add(reshape(log(found.normalizer as Value), [1, ...time]), unflattenTokens(best, tokens)),
        ),
      },
    }),
  }

  function perExpert(pi: Value): Value {
    return pi.shape.length > 1 ? pi : reshape(pi, [experts, 1])
  }
}

/** Log evidence (S, N) of tokens for states, each up to what all states share. */
function logEvidence({ width }: Belief, { params, x, tokens: table }: GateOperands): Value {
  const layer = (name: string) => [params[`${name}.weight`] as Value, params[`${name}.bias`]] as const
  const all = tokenLayer(flattenTokens(x), undefined, table)
  if (width === null) return all(...layer('evidence'))
  return project(relu(all(...layer('evidence.0'))), ...layer('evidence.2'))
}

/** Runs the filter. `evidence` (S, T, B). */
function filter(
  { states, phases, duration, cues }: Belief,
  { params, x, tokens: table, state = {}, reset }: GateOperands,
  evidence: Value,
  parameter: (name: string) => Value,
  wanted: readonly Wanted[],
  history: boolean,
): ReturnType<typeof runFilter> {
  const { builder } = x
  const [, steps, batch] = x.shape as [number, number, Dim]
  const shape = [phases, states, batch] as const
  const prior = reshape(add(softmax(parameter('prior'), 0), FLOOR), [1, states, 1])
  const start = pad(prior, 0, 0, phases - 1)
  const carried = state.belief && reshape(state.belief, shape)
  // A state of zeros is that of a sequence that has not begun: a belief sums to 1.
  const begun = carried && greater(sum(carried, [0, 1], true), 0.5)
  const first = begun ? where(begun, carried, start) : expand(start, shape)
  const rates = (name: string) => reshape(permute(parameter(name)), [phases, states, 1])
  const perToken = (v: Value) => reshape(v, [1, states, steps, batch])
  const cue = cues && tokenLayer(flattenTokens(x), undefined, table)(params['cue.weight'] as Value)
  const self = builder.constant(
    Array.from({ length: states * states }, (_, i) => (i % (states + 1) === 0 && states > 1 ? NEVER : 0)),
    [states, states],
  )
  return runFilter(
    first,
    {
      evidence: perToken(evidence),
      ...(cue && { cue: perToken(cue) }),
      ...(reset && { fresh: reshape(reset, [1, 1, steps, batch]) }),
    },
    {
      leave: cues ? rates('hazard') : sigmoid(rates('hazard')),
      ...(duration === 'phase-type' && phases > 1 && { advance: sigmoid(rates('advance')) }),
      enter: permute(softmax(add(parameter('transition'), self), 1)),
      ...(reset && { start }),
    },
    wanted,
    history,
  )
}

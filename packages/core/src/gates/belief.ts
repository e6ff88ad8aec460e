/**
 * The belief gate: a recursive Bayes filter with learned parameters over (state, phase). Loaded on demand
 * (`on-demand.ts`).
 */
import type { GraphBuilder, Value } from '../graph/builder.js'
import {
  add,
  concat,
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
import { type Carried, FLOOR, phaseMoves, runFilter, type Wanted } from './belief-step.js'
import type { GateOperands, GateValues } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { flattenTokens, project, unflattenTokens } from './feature-major.js'
import { clampPrecision } from './precision.js'
import { gateStates } from './state.js'
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
    states: Object.fromEntries(
      gateStates(config).flatMap(({ name, width }) => {
        const value = found.last[name as keyof typeof found.last]
        return value ? [[name, reshape(value, [width, 1, time[1] as Dim])]] : []
      }),
    ),
    ...(details && {
      details: {
        belief: reshape(found.history as Value, [belief.phases * belief.states * belief.copies, ...time]),
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
  { states: kinds, copies, phases, duration, cues }: Belief,
  { params, x, tokens: table, state = {}, reset }: GateOperands,
  evidence: Value,
  parameter: (name: string) => Value,
  wanted: readonly Wanted[],
  history: boolean,
): ReturnType<typeof runFilter> {
  const { builder } = x
  const states = kinds * copies
  const [, steps, batch] = x.shape as [number, number, Dim]
  const prior = reshape(add(softmax(parameter('prior'), 0), FLOOR), [states, 1, 1])
  const start = pad(prior, 1, 0, phases - 1)
  const perToken = (v: Value) => reshape(v, [states, 1, steps, batch])
  const cue = cues > 0 && tokenLayer(flattenTokens(x), undefined, table)(params['cue.weight'] as Value)
  const self = builder.constant(
    Array.from({ length: states * states }, (_, i) => (i % (states + 1) === 0 && states > 1 ? NEVER : 0)),
    [states, states],
  )
  const rates = (name: string, ...shape: readonly number[]) => reshape(parameter(name), [states, ...shape])
  const leaving = cue ? undefined : sigmoid(rates('hazard', 1, phases))
  const staying = leaving && sub(1, leaving)
  const advance = duration === 'phase-type' ? sigmoid(rates('advance', 1, phases)) : undefined
  return runFilter(
    before(),
    {
      evidence: perToken(evidence),
      ...(cue && { cue: reshape(cue, [states, cues, steps, batch]) }),
      ...(reset && { fresh: reshape(reset, [1, 1, steps, batch]) }),
    },
    {
      ...(leaving && staying
        ? { either: concat([leaving, staying], 1) }
        : { leave: rates('hazard', phases, 1) }),
      ...phaseMoves(builder, phases, advance, staying),
      enter: permute(softmax(add(parameter('transition'), self), 1)),
      ...(reset && { start, prior }),
    },
    wanted,
    history,
  )

  /** A state of zeros is that of a sequence that has not begun: a belief sums to 1. */
  function before(): Carried {
    const shape = [states, phases, batch] as const
    const later = [states, cues - 1, batch] as const
    const heard = cues > 1 && {
      cues: state.cues ? reshape(state.cues, later) : expand(builder.constant(0), later),
    }
    if (!state.belief)
      return { belief: expand(start, shape), mass: expand(prior, [states, 1, batch]), ...heard }
    const carried = reshape(state.belief, shape)
    const mass = sum(carried, 1, true)
    const begun = greater(sum(mass, 0, true), 0.5)
    return { belief: where(begun, carried, start), mass: where(begun, mass, prior), ...heard }
  }
}

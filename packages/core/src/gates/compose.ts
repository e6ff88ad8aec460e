/**
 * A gate as an expression: mechanisms in their order. Everything is features-first; one definition serves sequences,
 * single steps (T = 1) and training.
 */
import type { GraphBuilder, Value } from '../graph/builder.js'
import { add, concat, linear, pad, slice, softmax } from '../graph/expressions.js'
import { anticipationParams, predictNext } from './anticipation.js'
import { type Belief, beliefParams } from './belief-parameters.js'
import { clockParams } from './clock-parameters.js'
import type { ResolvedGateConfig } from './config.js'
import { averageTokens, mixIn } from './distribution.js'
import { flattenTokens, project, swapLayout, unflattenTokens } from './feature-major.js'
import { runningMean } from './mean.js'
import { charge, type Membrane } from './membrane.js'
import { advance, decayOf, integrate, memoryParams } from './memory.js'
import { mechanisms } from './on-demand.js'
import { linearSpecs, type ParameterSpec } from './parameters.js'
import { weigh } from './precision.js'
import { integrateProbabilities } from './probability-memory.js'
import { spikes } from './spike.js'
import { type TokenTable, tokenLayer } from './token-table.js'
import { precisionParams } from './tracked-parameters.js'

/** Every parameter of a gate, in state-dict order. */
export function gateParams(config: ResolvedGateConfig): readonly ParameterSpec[] {
  const { dim, experts, bias, memory, anticipation, belief, clock, precision } = config
  return [
    ...memoryParams(memory),
    ...(belief || anticipation?.kind === 'logits' ? [] : linearSpecs('W', dim, experts, bias)),
    ...(belief ? beliefParams(config, belief) : []),
    ...(clock ? clockParams(config, clock) : []),
    ...(anticipation ? anticipationParams(config, anticipation) : []),
    ...precisionParams(precision),
  ]
}

/** Values a gate is evaluated on. */
export interface GateOperands {
  readonly params: Readonly<Record<string, Value>>
  /** (d, T, B) */
  readonly x: Value
  /** The same tokens as columns of a table: layers on them are then taken from the table. */
  readonly tokens?: TokenTable
  /** The same tokens (B, T, d), where they came so; emitted on call. A gate that does no more than project them need not turn them. */
  readonly rows?: () => Value
  /** The tokens one step later (d, T, B): only the oracle reads them. Default: x shifted, zeros at the end. */
  readonly future?: Value
  /** Π (E), or (E, T, B) where every sequence has its own; errors (E, T, B) where the gate tracks it. */
  readonly precision?: Value
  /** States before the first token (width, 1, B), by name. Default 0. */
  readonly state?: Readonly<Record<string, Value>>
  /** bool (T, B): a new document starts here. */
  readonly reset?: Value
  /** Also give `details`. */
  readonly details?: boolean
}

/** What a gate computes, features first; N = T · B tokens. */
export interface GateValues {
  /** (E, N), Π included. */
  readonly logits: Value
  /** Membranes as they are compared with θ (E, N). */
  readonly drive?: Value
  /** (d, T, B) */
  readonly xHat?: Value
  /** The state `memory` after each step (width, T, B). */
  readonly memory?: Value
  /** States after the last step (width, 1, B), by name. */
  readonly states: Readonly<Record<string, Value>>
  /** What else there is to see, by name (width, T, B). */
  readonly details?: Readonly<Record<string, Value>>
  /** Distribution over experts for the next token (E, N); emitted on call. */
  readonly next?: () => Value
}

/** Emits a gate. */
export function composeGate(
  builder: GraphBuilder,
  config: ResolvedGateConfig,
  operands: GateOperands,
): GateValues {
  const { params, x: tokens, tokens: table, state = {}, reset } = operands
  const { anticipation, memory, belief, clock } = config
  const steps = tokens.shape[1] as number
  const tracked =
    config.precision?.scope === 'tracked'
      ? mechanisms().trackPrecision(builder, config.precision, operands)
      : undefined
  const perToken = tracked?.precision ?? operands.precision
  const precision = perToken && perToken.shape.length > 1 ? flattenTokens(perToken) : perToken
  const own: Readonly<Record<string, Value>> = tracked ? { precision: tracked.last } : {}
  const affinity = (v: Value) =>
    builder.scope('affinity', () => project(v, params['W.weight'] as Value, params['W.bias']))
  const tokenAffinity = () =>
    builder.scope('affinity', () => {
      const weight = params['W.weight'] as Value
      const bias = params['W.bias']
      if (!operands.rows || table) return tokenLayer(x, undefined, table)(weight, bias)
      return flattenTokens(swapLayout(linear(operands.rows(), weight, bias)))
    })
  const weighted = (logits: Value) =>
    config.precision && precision
      ? builder.scope('precision', () =>
          weigh(config.precision as NonNullable<typeof config.precision>, logits, precision),
        )
      : logits
  const x = flattenTokens(tokens)
  if (config.router === 'oracle') {
    const future = operands.future ?? pad(slice(tokens, 1, Math.min(1, steps)), 1, 0, Math.min(1, steps))
    return { logits: weighted(affinity(flattenTokens(future))), states: own }
  }
  if (belief) {
    const found = mechanisms().composeBelief(
      builder,
      config as typeof config & { readonly belief: Belief },
      operands,
      precision,
    )
    return { ...found, states: { ...found.states, ...own } }
  }
  const remember = <T>(body: () => T): T => builder.scope('memory', body)
  const beta = memory?.kind === 'leaky' ? remember(() => decayOf(builder, memory, params)) : undefined
  const timed = clock ? mechanisms().tellTime(builder, clock, operands, beta) : undefined
  /** W h + b, or W x + b, and what the clock adds to it. */
  const withClock = (z: Value, readings?: Value) =>
    clock?.affinity && readings
      ? builder.scope('clock', () => add(z, project(readings, params['W_clock.weight'] as Value)))
      : z
  /** Leaky memory, which surprise may set back together with the clock. */
  const membraneOf = () =>
    beta && (timed?.membrane ?? remember(() => integrate(beta, tokens, state.memory ?? 0, reset)))
  if (anticipation && anticipation.kind !== 'distribution') return predicting(anticipation)

  const { logits, last, ...rest } = remembering()
  const states = { ...(last ? { memory: last } : {}), ...timed?.states, ...own }
  if (!anticipation) return { ...rest, logits: logits.named('logits'), states }
  return builder.scope('anticipation', () => {
    const { average, last } = averageTokens(anticipation.momentum, tokens, state.anticipation, reset)
    const expected = softmax(predictNext(anticipation, params, tokenLayer(flattenTokens(average))), 0)
    return {
      ...rest,
      logits: mixIn(logits, expected).named('logits'),
      states: { ...states, anticipation: last },
      next: () => expected,
    }
  })

  /** Logits of a gate that predicts no token. */
  function remembering(): { logits: Value; drive?: Value; memory?: Value; last?: Value } {
    if (!memory) return { logits: weighted(withClock(tokenAffinity(), timed?.readings)) }
    const leaky = membraneOf()
    if (leaky) {
      const z = withClock(affinity(flattenTokens(leaky.h)), timed?.readings)
      return { logits: weighted(z), memory: leaky.h, last: leaky.last }
    }
    if (memory.kind === 'mean') {
      const pooled = remember(() => runningMean(tokens, state.memory ?? 0, reset))
      const logits = weighted(affinity(flattenTokens(pooled.mean)))
      return { logits, memory: pooled.state, last: pooled.last }
    }
    const z = tokenAffinity()
    const current = unflattenTokens(z, tokens)
    if (memory.kind === 'probability') {
      const s = remember(() => integrateProbabilities(memory, current, state.memory ?? 0, reset))
      return { logits: add(weighted(z), flattenTokens(s.state)), memory: s.state, last: s.last }
    }
    const { drive, membrane, last } = remember(() =>
      charge(memory as Membrane, decayOf(builder, memory as Membrane, params), current, state.memory, reset),
    )
    const u =
      (memory as Membrane).output === 'spike' ? remember(() => spikes(memory as Membrane, drive)) : membrane
    return {
      logits: weighted(flattenTokens(u)),
      drive: flattenTokens(drive),
      memory: membrane,
      last,
    }
  }

  /** A gate that predicts the next token. */
  function predicting(
    network: Exclude<typeof anticipation, null | { readonly kind: 'distribution' }>,
  ): GateValues {
    const membrane = membraneOf()
    const h = membrane ? flattenTokens(membrane.h) : undefined
    const predict = (token: Value, context: readonly (Value | undefined)[], entries?: TokenTable) =>
      builder.scope('anticipation', () => {
        const given = context.filter((v) => v !== undefined)
        const beside = given.length > 1 ? concat(given, 0) : given[0]
        return predictNext(network, params, tokenLayer(token, beside, entries))
      })
    const decide = (z: () => Value, xHat: Value, readings: Value | undefined): Value => {
      if (network.kind === 'direct') return weighted(withClock(affinity(xHat), readings))
      const present = z()
      const both = builder.scope('affinity', () =>
        add(present, project(xHat, params['W_pred.weight'] as Value)),
      )
      return weighted(withClock(both, readings))
    }
    const output = predict(x, [h, timed?.readings], table)
    const states = { ...(membrane ? { memory: membrane.last } : {}), ...timed?.states, ...own }
    const held = membrane ? { memory: membrane.h, states } : { states }
    if (network.kind === 'logits') {
      const logits = weighted(output).named('logits')
      return { logits, next: () => softmax(logits, 0), ...held }
    }
    const xHat = output
    const logits = decide(h ? () => affinity(h) : tokenAffinity, xHat, timed?.readings).named('logits')
    const next = (): Value => {
      // Direct anticipation already decides for the next token; the additive form is evaluated once more, on x̂.
      if (network.kind === 'direct') return softmax(logits, 0)
      return builder.scope('next', () => {
        const hNext = beta && h ? advance(beta, h, xHat) : undefined
        const later = timed?.later()
        return softmax(
          decide(() => affinity(hNext ?? xHat), predict(xHat, [hNext, later]), later),
          0,
        )
      })
    }
    return { logits, xHat: unflattenTokens(xHat, tokens), next, ...held }
  }
}

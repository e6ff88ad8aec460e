/**
 * A gate as an expression: mechanisms in their order. Everything is features-first; one definition serves sequences,
 * single steps (T = 1) and training.
 */
import type { GraphBuilder, Value } from '../graph/builder.js'
import { add, pad, slice, softmax } from '../graph/expressions.js'
import { anticipationParams, predictNext } from './anticipation.js'
import type { ResolvedGateConfig } from './config.js'
import { flattenTokens, project, unflattenTokens } from './feature-major.js'
import { advance, decayOf, integrate, memoryParams } from './memory.js'
import { linearSpecs, type ParameterSpec } from './parameters.js'
import { weigh } from './precision.js'

/** Every parameter of a gate, in state-dict order. */
export function gateParams(config: ResolvedGateConfig): readonly ParameterSpec[] {
  return [
    ...(config.memory ? memoryParams(config.memory) : []),
    ...linearSpecs('W', config.dim, config.experts, config.bias),
    ...(config.anticipation ? anticipationParams(config, config.anticipation) : []),
  ]
}

/** Values a gate is evaluated on. */
export interface GateOperands {
  readonly params: Readonly<Record<string, Value>>
  /** (d, T, B) */
  readonly x: Value
  /** The tokens one step later (d, T, B): only the oracle reads them. Default: x shifted, zeros at the end. */
  readonly future?: Value
  /** Π (E), where the gate has precision. */
  readonly precision?: Value
  /** Membrane before the first token (d, 1, B). Default 0. */
  readonly h0?: Value
  /** bool (T, B): a new document starts here. */
  readonly reset?: Value
}

/** What a gate computes, features first; N = T · B tokens. */
export interface GateValues {
  /** (E, N), Π included. */
  readonly logits: Value
  /** (d, T, B) */
  readonly xHat?: Value
  /** (d, T, B) */
  readonly h?: Value
  /** (d, 1, B) */
  readonly hLast?: Value
  /** Distribution over experts for the next token (E, N); emitted on call. */
  readonly next?: () => Value
}

/** Emits a gate. */
export function composeGate(
  builder: GraphBuilder,
  config: ResolvedGateConfig,
  operands: GateOperands,
): GateValues {
  const { params, precision } = operands
  const { anticipation, memory } = config
  const steps = operands.x.shape[1] as number
  const affinity = (v: Value) => project(v, params['W.weight'] as Value, params['W.bias'])
  const weighted = (logits: Value) =>
    config.precision && precision
      ? builder.scope('precision', () =>
          weigh(config.precision as NonNullable<typeof config.precision>, logits, precision),
        )
      : logits
  if (config.router === 'oracle') {
    const future = operands.future ?? pad(slice(operands.x, 1, Math.min(1, steps)), 1, 0, Math.min(1, steps))
    return { logits: weighted(builder.scope('affinity', () => affinity(flattenTokens(future)))) }
  }
  const x = flattenTokens(operands.x)
  const beta = memory && builder.scope('memory', () => decayOf(builder, memory, params))
  const membrane =
    beta && builder.scope('memory', () => integrate(beta, operands.x, operands.h0 ?? 0, operands.reset))
  const h = membrane ? flattenTokens(membrane.h) : undefined
  const predict = (token: Value, state: Value | undefined) =>
    builder.scope('anticipation', () =>
      predictNext(anticipation as NonNullable<typeof anticipation>, params, token, state),
    )
  const decide = (context: Value, xHat: Value | undefined): Value =>
    weighted(
      builder.scope('affinity', () => {
        if (anticipation?.kind === 'direct') return affinity(xHat as Value)
        const z = affinity(context)
        return xHat ? add(z, project(xHat, params['W_pred.weight'] as Value)) : z
      }),
    )
  const xHat = anticipation ? predict(x, h) : undefined
  const logits = decide(h ?? x, xHat).named('logits')
  const next = (): Value => {
    // Direct anticipation already decides for the next token; the additive form is evaluated once more, on x̂.
    if (anticipation?.kind === 'direct') return softmax(logits, 0)
    return builder.scope('next', () => {
      const ahead = xHat as Value
      const hNext = beta && h ? advance(beta, h, ahead) : undefined
      return softmax(decide(hNext ?? ahead, predict(ahead, hNext)), 0)
    })
  }
  return {
    logits,
    ...(xHat ? { xHat: unflattenTokens(xHat, operands.x), next } : {}),
    ...(membrane ? { h: membrane.h, hLast: membrane.last } : {}),
  }
}

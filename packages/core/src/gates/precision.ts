/**
 * Precision Π (paper A §3.2): the inverse of a tracked error variance, one number per expert. The tracker is pure and
 * usable alone; a gate takes Π as an input and never changes it.
 */
import * as v from 'valibot'
import { FepError, show } from '../errors.js'
import type { Value } from '../graph/builder.js'
import { add, clip, log, mul, reshape } from '../graph/expressions.js'
import { averagingFactor, fraction, integerFrom, parse, positive } from '../schema.js'
import type { Tensor } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'

/** Tracked variances, one per expert, or (rows, E) row by row. Plain JSON: save it, send it, keep several. */
export interface PrecisionState {
  readonly variance: readonly number[]
}

/** Options of {@link precisionTracker}. */
export interface PrecisionTrackerOptions {
  /** Number of experts, >= 1. */
  readonly experts: number
  /** Sequences with variances of their own, >= 1. Default: one set of variances for all. */
  readonly rows?: number
  /** In [0, 1). Default 0.95. */
  readonly momentum?: number
  /** > 0. Default 1e-4. */
  readonly epsilon?: number
  /** > 0. Default 1. */
  readonly initialVariance?: number
  /**
   * ρ in [0, 1]: where it is said who ran, the variance of an expert that did not moves this share of the way back to the initial
   * one; 0: it stays. An expert that once was bad gets no tokens, and without ρ no occasion to show that it has become better.
   * Default 1 − momentum, so that it is forgotten as fast as it was learned.
   */
  readonly relaxation?: number
}

/** A pure tracker: state in, state out. */
export interface PrecisionTracker {
  /** The state before any error is known: every variance is `initialVariance`. */
  init(): PrecisionState
  /**
   * var ← m · var + (1 − m) · errors.
   * @param errors one per expert (row by row, where there are rows): a squared error or a miss rate, finite and >= 0
   * @param ran as many: above 0 where the expert had a token, such as the loads of a sparse layer. Default: all ran. An error of
   * an expert that did not run is not looked at: its variance relaxes instead
   * @throws FEP_BAD_ARGUMENT
   */
  update(state: PrecisionState, errors: ArrayLike<number>, ran?: ArrayLike<number>): PrecisionState
  /** Π = 1 / (var + ε) as a float32 tensor (E), or (rows, E), ready to feed. */
  precision(state: PrecisionState): Tensor
}

const options = v.strictObject({
  experts: integerFrom(1),
  rows: v.optional(integerFrom(1)),
  momentum: v.optional(averagingFactor, 0.95),
  epsilon: v.optional(positive, 1e-4),
  initialVariance: v.optional(positive, 1),
  relaxation: v.optional(fraction),
})

/**
 * Makes a tracker. @throws FEP_BAD_CONFIG
 * @example
 * const tracker = precisionTracker({ experts: 4 })
 * let state = tracker.init()
 * state = tracker.update(state, [0.1, 0.9, 0.2, 1])
 * const pi = tracker.precision(state) // feed it to gate.route(..., { precision: pi })
 */
export function precisionTracker(config: PrecisionTrackerOptions): PrecisionTracker {
  const { experts, rows, momentum, epsilon, initialVariance, ...rest } = parse(options, config, 'precision')
  const { relaxation = 1 - momentum } = rest
  const shape = rows === undefined ? [experts] : [rows, experts]
  const count = experts * (rows ?? 1)
  return {
    init: () => ({ variance: new Array<number>(count).fill(initialVariance) }),
    update: ({ variance }, errors, ran) => {
      if (ran && ran.length !== count)
        throw new FepError(
          'FEP_BAD_ARGUMENT',
          `precision update: ${ran.length} entries of who ran; accepted: ${count} (${shape.join(' · ')})`,
        )
      if (errors.length !== count)
        throw new FepError(
          'FEP_BAD_ARGUMENT',
          `precision update: ${errors.length} errors; accepted: ${count} (${shape.join(' · ')})`,
        )
      return {
        variance: variance.map((old, i) => {
          if (ran && !((ran[i] as number) > 0)) return old + relaxation * (initialVariance - old)
          const e = errors[i] as number
          if (!Number.isFinite(e) || e < 0)
            throw new FepError(
              'FEP_BAD_ARGUMENT',
              `precision update: errors[${i}] is ${show(e)}; accepted: a finite number >= 0`,
            )
          return momentum * old + (1 - momentum) * e
        }),
      }
    },
    precision: ({ variance }) => ({
      dtype: 'float32',
      shape,
      data: Float32Array.from(variance, (x) => 1 / (x + epsilon)),
    }),
  }
}

/**
 * The share of targets that are not expert i, for every i: the error that paper A's ablation tracks.
 * @param targets expert indices
 */
export function missRates(targets: ArrayLike<number>, experts: number): number[] {
  const hits = new Array<number>(experts).fill(0)
  for (let i = 0; i < targets.length; i++) (hits[targets[i] as number] as number)++
  return hits.map((n) => 1 - n / targets.length)
}

/** Keeps Π away from where a product or a logarithm of finite numbers would overflow. */
const [LEAST, MOST] = [1e-12, 1e12]

/** Π within what a gate computes with. */
export const clampPrecision = (precision: Value): Value => clip(precision, LEAST, MOST)

/** Applies Π, (E) or (E, N), to logits (E, N). */
export function weigh(
  { kind }: NonNullable<ResolvedGateConfig['precision']>,
  logits: Value,
  precision: Value,
): Value {
  const clamped = clampPrecision(precision)
  const pi = precision.shape.length > 1 ? clamped : reshape(clamped, [precision.shape[0] as number, 1])
  return kind === 'gain' ? mul(logits, pi) : add(logits, log(pi))
}

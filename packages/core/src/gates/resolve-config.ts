/** Validation of gate configurations, and their defaults. */
import * as v from 'valibot'
import { FepError } from '../errors.js'
import { averagingFactor, decayFactor, integerFrom, nonNegative, parse, positive } from '../schema.js'
import type { ComposedGateConfig, ResolvedGateConfig } from './config.js'

const count = integerFrom(1)
const onePerDimension = (item: typeof decayFactor, accepted: string) =>
  v.custom<number | readonly number[]>(
    (x) => (Array.isArray(x) ? x : [x]).every((one) => v.is(item, one)),
    `${accepted}, or a list of such numbers`,
  )

const memory = v.pipe(
  v.strictObject({
    kind: v.literal('leaky'),
    beta: v.optional(onePerDimension(decayFactor, 'a number in (0, 1)')),
    tau: v.optional(onePerDimension(positive, 'a finite number > 0')),
    learned: v.optional(v.boolean()),
  }),
  v.check(({ beta, tau }) => beta === undefined || tau === undefined, 'beta or tau, not both'),
)
const precision = v.strictObject({
  kind: v.picklist(['gain', 'evidence']),
  momentum: v.optional(averagingFactor),
  epsilon: v.optional(positive),
  initialVariance: v.optional(positive),
})
const anticipation = v.strictObject({
  kind: v.picklist(['direct', 'additive']),
  width: v.optional(count),
  depth: v.optional(integerFrom(1, 64)),
  activation: v.optional(v.picklist(['relu', 'gelu'])),
  rank: v.optional(v.nullable(count)),
  lossWeight: v.optional(nonNegative),
})
const select = v.pipe(
  v.strictObject({
    kind: v.picklist(['dense', 'top-k']),
    k: v.optional(count),
    softmax: v.optional(v.picklist(['before', 'after'])),
  }),
  v.check(
    ({ kind, k, softmax }) => (kind === 'top-k' ? k !== undefined : k === undefined && softmax === undefined),
    "{ kind: 'dense' }, or { kind: 'top-k', k } with softmax: 'before' or 'after'",
  ),
)

const shape = {
  dim: count,
  experts: count,
  bias: v.optional(v.boolean()),
  select: v.optional(select),
  precision: v.optional(precision),
}
const oracle = v.strictObject({ ...shape, router: v.literal('oracle') })
const composed = v.strictObject({
  ...shape,
  router: v.optional(v.literal('gate')),
  memory: v.optional(memory),
  anticipation: v.optional(anticipation),
})

/**
 * Checks a configuration and fills in its defaults.
 * @throws FEP_BAD_CONFIG naming the path of the field, its value and what is accepted
 */
export function resolveGateConfig(config: unknown): ResolvedGateConfig {
  const isOracle =
    typeof config === 'object' && config !== null && (config as { router?: unknown }).router === 'oracle'
  const c = (isOracle ? parse(oracle, config, 'gate') : parse(composed, config, 'gate')) as ComposedGateConfig
  const { dim, experts } = c
  const perDimension = (value: number | readonly number[], field: string): readonly number[] => {
    if (typeof value === 'number') return new Array<number>(dim).fill(value)
    if (value.length === dim) return value
    throw new FepError(
      'FEP_BAD_CONFIG',
      `gate.memory.${field} has ${value.length} numbers; accepted: one number, or ${dim} (one per dimension)`,
    )
  }
  const m = c.memory
  const beta =
    m?.tau !== undefined
      ? perDimension(m.tau, 'tau').map((tau) => Math.exp(-1 / tau))
      : perDimension(m?.beta ?? 0.9, 'beta')
  const gain = c.precision?.kind === 'gain'
  const a = c.anticipation
  const direct = a?.kind === 'direct'
  if (c.select?.kind === 'top-k') parse(integerFrom(1, experts), c.select.k, 'gate.select.k')
  return {
    dim,
    experts,
    bias: c.bias ?? true,
    router: isOracle ? 'oracle' : 'gate',
    memory: m ? { kind: 'leaky', beta, learned: m.learned ?? m.tau === undefined } : null,
    precision: c.precision
      ? {
          kind: c.precision.kind,
          momentum: c.precision.momentum ?? (gain ? 0.95 : 0.9),
          epsilon: c.precision.epsilon ?? (gain ? 1e-4 : 1e-8),
          initialVariance: c.precision.initialVariance ?? 1,
        }
      : null,
    anticipation: a
      ? {
          kind: a.kind,
          width: a.width ?? 4 * dim,
          depth: a.depth ?? 1,
          activation: a.activation ?? (direct ? 'relu' : 'gelu'),
          rank: a.rank ?? null,
          lossWeight: a.lossWeight ?? 0.5,
        }
      : null,
    select:
      c.select?.kind === 'top-k'
        ? { kind: 'top-k', k: c.select.k, softmax: c.select.softmax ?? 'after' }
        : { kind: 'dense' },
  }
}

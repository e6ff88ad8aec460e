/** Validation of gate configurations, and their defaults. */
import * as v from 'valibot'
import { FepError, show } from '../errors.js'
import { averagingFactor, integerFrom, isDecay, isPositive, nonNegative, parse, positive } from '../schema.js'
import type {
  ClockConfig,
  ComposedGateConfig,
  MemoryConfig,
  PrecisionConfig,
  ResolvedGateConfig,
} from './config.js'

const count = integerFrom(1)
const listOf = (fits: (x: unknown) => boolean, accepted: string) =>
  v.optional(
    v.custom<number | readonly number[]>(
      (x) => (Array.isArray(x) ? x : [x]).every(fits),
      `${accepted}, or a list of such numbers`,
    ),
  )
const pick = <const T extends readonly string[]>(...options: T) => v.optional(v.picklist(options))
const flag = v.optional(v.boolean())

const memory = v.strictObject({
  kind: v.picklist(['leaky', 'membrane', 'probability', 'mean']),
  beta: listOf(isDecay, 'a number in (0, 1)'),
  tau: listOf(isPositive, 'a finite number > 0'),
  learned: flag,
  threshold: v.optional(positive),
  reset: pick('soft-cap', 'subtract', 'zero', 'none'),
  output: pick('membrane', 'spike'),
  surrogate: pick('atan', 'fast-sigmoid'),
  slope: v.optional(positive),
  detach: flag,
})
const precision = v.strictObject({
  kind: v.picklist(['gain', 'evidence']),
  scope: pick('shared', 'sequence', 'tracked'),
  learned: flag,
  momentum: v.optional(averagingFactor),
  epsilon: v.optional(positive),
  initialVariance: v.optional(positive),
})
const anticipation = v.strictObject({
  kind: v.picklist(['direct', 'additive', 'logits', 'distribution']),
  width: v.optional(count),
  depth: v.optional(integerFrom(1, 64)),
  activation: pick('relu', 'gelu'),
  rank: v.optional(v.nullable(count)),
  lossWeight: v.optional(nonNegative),
  momentum: v.optional(averagingFactor),
})
const belief = v.strictObject({
  states: v.optional(count),
  copies: v.optional(count),
  phases: v.optional(count),
  duration: pick('chain', 'phase-type'),
  width: v.optional(v.nullable(count)),
  cues: v.optional(integerFrom(0, 64)),
  horizon: v.optional(v.picklist([0, 1])),
  gain: v.optional(positive),
})
const clock = v.strictObject({
  integrators: v.optional(integerFrom(0)),
  resonators: v.optional(integerFrom(0)),
  affinity: flag,
  surpriseReset: flag,
})
const select = v.strictObject({
  kind: v.picklist(
    ['dense', 'top-k', 'spike'],
    "'dense', 'top-k', 'spike'; policies: createSparseGate of @fep-moe/core/policies",
  ),
  k: v.optional(count),
  softmax: pick('before', 'after'),
  scale: v.optional(positive),
})

/** Fields that each kind has beside `kind`; a schema per kind would be four times the code. */
const FIELDS: Readonly<Record<string, string>> = {
  leaky: 'beta tau learned',
  membrane: 'beta tau learned threshold reset output surrogate slope',
  probability: 'tau detach',
  mean: '',
  direct: 'width depth activation rank lossWeight',
  additive: 'width depth activation rank lossWeight',
  logits: 'width depth activation rank',
  distribution: 'width depth activation rank momentum',
  dense: '',
  'top-k': 'k softmax scale',
  spike: 'softmax',
}

const shape = {
  dim: count,
  experts: count,
  bias: flag,
  select: v.optional(select),
  precision: v.optional(precision),
}
const oracle = v.strictObject({ ...shape, router: v.picklist(['oracle']) })
const composed = v.strictObject({
  ...shape,
  router: pick('gate'),
  memory: v.optional(memory),
  anticipation: v.optional(anticipation),
  belief: v.optional(belief),
  clock: v.optional(clock),
})

const refuse = (path: string, found: unknown, accepted: string): never => {
  throw new FepError('FEP_BAD_CONFIG', `gate.${path} is ${show(found)}; accepted: ${accepted}`)
}

/**
 * Checks a configuration and fills in its defaults.
 * @throws FEP_BAD_CONFIG naming the path of the field, its value and what is accepted
 */
export function resolveGateConfig(config: unknown): ResolvedGateConfig {
  const isOracle =
    typeof config === 'object' && config !== null && (config as { router?: unknown }).router === 'oracle'
  const c = (isOracle ? parse(oracle, config, 'gate') : parse(composed, config, 'gate')) as ComposedGateConfig
  for (const name of ['memory', 'anticipation', 'select'] as const) {
    const { kind, ...fields } = c[name] ?? { kind: 'mean' }
    for (const [field, value] of Object.entries(fields)) {
      if (value !== undefined && !(FIELDS[kind] as string).split(' ').includes(field))
        refuse(`${name}.${field}`, value, `nothing, '${kind}' has no such field`)
    }
  }
  const { dim, experts, anticipation: a, precision: p, select: s } = c
  if (c.memory && 'beta' in c.memory && c.memory.beta !== undefined && c.memory.tau !== undefined)
    refuse('memory', c.memory, 'beta or tau, not both')
  if (s?.kind === 'top-k' && s.k === undefined) refuse('select', s, "{ kind: 'top-k', k }")
  const memory = c.memory ? resolveMemory(c.memory, dim, experts) : null
  const gain = p?.kind === 'gain'
  const predicts = a !== undefined && a.kind !== 'distribution'
  if (predicts && memory && memory.kind !== 'leaky')
    refuse(
      'anticipation.kind',
      a.kind,
      `with memory.kind '${memory.kind}': 'distribution', or no anticipation`,
    )
  const instead = (['memory', 'anticipation', 'clock'] as const).find((name) => c.belief && c[name])
  if (instead) refuse(instead, c[instead], 'nothing beside `belief`')
  if (c.clock) {
    const fits = (memory === null || memory.kind === 'leaky') && a?.kind !== 'distribution'
    if (!fits) refuse('clock', c.clock, "with memory.kind 'leaky' or none, and no 'distribution'")
    if (c.clock.surpriseReset && !memory) refuse('clock.surpriseReset', true, "with memory.kind 'leaky'")
    if (c.clock.affinity === false && !a) refuse('clock.affinity', false, 'true, unless a predictor reads it')
    if (c.clock.affinity && a?.kind === 'logits') refuse('clock.affinity', true, "false with 'logits'")
    if (c.clock.integrators === 0 && !c.clock.resonators)
      refuse('clock', c.clock, 'an integrator or a resonator')
  }
  if (p?.learned !== undefined && p.scope !== 'tracked')
    refuse('precision.learned', p.learned, "only with scope 'tracked'")
  if (s?.kind === 'top-k') parse(integerFrom(1, experts), s.k, 'gate.select.k')
  if (s?.kind === 'spike' && (memory?.kind !== 'membrane' || a))
    refuse(
      'select.kind',
      'spike',
      "'dense' and 'top-k', unless with memory.kind 'membrane' and no anticipation",
    )
  return {
    dim,
    experts,
    bias: c.bias ?? true,
    router: isOracle ? 'oracle' : 'gate',
    memory,
    belief: c.belief
      ? filled<NonNullable<ResolvedGateConfig['belief']>>(c.belief, {
          states: experts,
          copies: 1,
          phases: 16,
          duration: 'chain',
          width: null,
          cues: 0,
          horizon: 1,
          gain: 4,
        })
      : null,
    clock: c.clock
      ? filled<Required<ClockConfig>>(c.clock, {
          integrators: c.clock.resonators ? 0 : 4,
          resonators: 0,
          affinity: !a,
          surpriseReset: false,
        })
      : null,
    precision: p
      ? filled<Required<PrecisionConfig>>(p, {
          kind: p.kind,
          scope: 'shared',
          learned: false,
          momentum: gain ? 0.95 : 0.9,
          epsilon: gain ? 1e-4 : 1e-8,
          initialVariance: 1,
        })
      : null,
    anticipation: a
      ? filled(a, {
          kind: a.kind,
          width: 4 * dim,
          depth: 1,
          rank: null,
          activation: a.kind === 'additive' ? 'gelu' : 'relu',
          ...(predicts ? a.kind !== 'logits' && { lossWeight: 0.5 } : { momentum: 0.9 }),
        } as NonNullable<ResolvedGateConfig['anticipation']>)
      : null,
    select: filled(s ?? {}, {
      kind: s?.kind ?? 'dense',
      ...(s?.kind === 'top-k' && { k: s.k, scale: 1 }),
      ...(s && s.kind !== 'dense' && { softmax: 'after' }),
    } as ResolvedGateConfig['select']),
  }
}

/** The fields of `defaults`, as given where they are. */
const filled = <T extends object>(given: object, defaults: T): T =>
  Object.fromEntries(
    Object.entries(defaults).map(([field, value]) => [
      field,
      (given as Readonly<Record<string, unknown>>)[field] ?? value,
    ]),
  ) as T

type MembraneDefaults = Extract<ResolvedGateConfig['memory'], { kind: 'membrane' }>

function resolveMemory(
  m: MemoryConfig,
  dim: number,
  experts: number,
): NonNullable<ResolvedGateConfig['memory']> {
  if (m.kind === 'mean') return { kind: m.kind }
  if (m.kind === 'probability') {
    const tau = m.tau ?? 2
    if (typeof tau !== 'number') refuse('memory.tau', tau, 'a finite number > 0')
    return { kind: m.kind, leak: Math.exp(-1 / tau), detach: m.detach ?? false }
  }
  const [units, unit] = m.kind === 'leaky' ? [dim, 'dimension'] : [experts, 'expert']
  const perUnit = (value: number | readonly number[], field: string): readonly number[] => {
    if (typeof value === 'number') return new Array<number>(units).fill(value)
    if (value.length === units) return value
    return refuse(`memory.${field}`, value, `one number, or ${units} (one per ${unit})`)
  }
  const beta =
    m.tau !== undefined
      ? perUnit(m.tau, 'tau').map((tau) => Math.exp(-1 / tau))
      : perUnit(m.beta ?? 0.9, 'beta')
  const learned = m.learned ?? m.tau === undefined
  // σ(beta_raw) could not learn back what float32 cannot tell from 0 or 1.
  if (learned && !beta.every((b) => Math.fround(b) >= 2 ** -126 && Math.fround(b) < 1))
    refuse(
      m.tau !== undefined ? 'memory.tau' : 'memory.beta',
      m.tau ?? m.beta,
      'a decay that float32 tells from 0 and 1, where it is learned (τ in 0.0115..1.6e7)',
    )
  const found = { beta, learned }
  if (m.kind === 'leaky') return { kind: m.kind, ...found }
  const defaults = { threshold: 1, reset: 'soft-cap', output: 'membrane', surrogate: 'atan' } as const
  const slope = m.surrogate && m.surrogate !== 'atan' ? 25 : 2
  return {
    ...filled<Omit<MembraneDefaults, 'beta' | 'learned'>>(m, { kind: m.kind, ...defaults, slope }),
    ...found,
  }
}

/** Random gates: every mechanism on and off, in every kind, with its numbers. */
import type {
  AnticipationConfig,
  BeliefConfig,
  ClockConfig,
  GateConfig,
  LossConfig,
  MemoryConfig,
  PrecisionConfig,
  SelectConfig,
} from '@fep-moe/core'
import * as fc from 'fast-check'

/** A random gate and what is done with it. */
export interface GateRecipe {
  readonly config: GateConfig
  readonly batch: number
  readonly steps: number
  /** Seed of parameters and tokens. */
  readonly seed: number
  readonly form: 'sequence' | 'stream' | 'training'
  /** Feed a reset mask (sequence, training), or reset rows between steps (stream). */
  readonly reset: boolean
  readonly mask: boolean
  readonly loss: LossConfig
  readonly optimizer: 'sgd' | 'momentum' | 'adam'
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
/** One in four. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const decay = fc.integer({ min: 1, max: 99 }).map((n) => n / 100)

const tau = fc.integer({ min: 1, max: 40 }).map((n) => n / 4)
const leaky: fc.Arbitrary<MemoryConfig> = fc.oneof(
  fc.record({ kind: fc.constant('leaky' as const), beta: decay, learned: fc.boolean() }),
  fc.record({ kind: fc.constant('leaky' as const), tau, learned: fc.boolean() }),
)
/** Thresholds and slopes that membranes of random tokens meet. */
const membrane = {
  kind: fc.constant('membrane' as const),
  learned: fc.boolean(),
  threshold: fc.integer({ min: 1, max: 8 }).map((n) => n / 4),
  reset: fc.constantFrom('soft-cap' as const, 'subtract' as const, 'zero' as const, 'none' as const),
  output: fc.constantFrom('membrane' as const, 'spike' as const),
  surrogate: fc.constantFrom('atan' as const, 'fast-sigmoid' as const),
  slope: fc.integer({ min: 1, max: 10 }),
}
const memory: fc.Arbitrary<MemoryConfig> = fc.oneof(
  { weight: 3, arbitrary: leaky },
  {
    weight: 2,
    arbitrary: fc.oneof(fc.record({ ...membrane, beta: decay }), fc.record({ ...membrane, tau })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('probability' as const), tau, detach: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'mean' as const }) },
)
const precisionKind = fc.constantFrom('gain' as const, 'evidence' as const)
const precision: fc.Arbitrary<PrecisionConfig> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: precisionKind, scope: fc.constantFrom('shared', 'sequence') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: precisionKind,
      scope: fc.constant('tracked' as const),
      learned: fc.boolean(),
      initialVariance: fc.constantFrom(0.5, 1),
    }),
  },
)
const network = {
  width: fc.integer({ min: 1, max: 6 }),
  depth: fc.integer({ min: 1, max: 2 }),
  activation: fc.constantFrom('relu' as const, 'gelu' as const),
  rank: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
}
const anticipation: fc.Arbitrary<AnticipationConfig> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('direct' as const, 'additive' as const), ...network }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('distribution' as const), ...network, momentum: decay }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('logits' as const), ...network }) },
)
const belief: fc.Arbitrary<BeliefConfig> = fc.record({
  states: fc.integer({ min: 1, max: 5 }),
  phases: fc.integer({ min: 1, max: 4 }),
  duration: fc.constantFrom('chain', 'phase-type'),
  width: fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }),
  cues: fc.integer({ min: 0, max: 3 }),
  horizon: fc.constantFrom(0, 1),
  gain: fc.constantFrom(1, 4),
})
const clock = fc.record({
  integrators: fc.integer({ min: 0, max: 3 }),
  resonators: fc.integer({ min: 0, max: 2 }),
  affinity: fc.boolean(),
  surpriseReset: fc.boolean(),
})

/** Fields that are not there stay out: configurations refuse unknown ones and `undefined` alike. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}

const selections = fc.record({
  kind: fc.constantFrom('dense' as const, 'top-k' as const, 'spike' as const),
  k: fc.nat({ max: 5 }),
  softmax: fc.constantFrom('before' as const, 'after' as const),
  scale: fc.constantFrom(1, 2.5),
})

/** A prediction needs a memory of tokens; where there is another memory, nothing anticipates. */
const fits = (a: AnticipationConfig | undefined, m: MemoryConfig | undefined): boolean =>
  a?.kind === 'distribution' || m === undefined || m.kind === 'leaky'

/** The clock drawn, as far as it fits the rest. */
function clockOf(
  {
    integrators,
    resonators,
    affinity,
    surpriseReset,
  }: typeof clock extends fc.Arbitrary<infer T> ? T : never,
  m: MemoryConfig | undefined,
  a: AnticipationConfig | undefined,
): ClockConfig | undefined {
  if ((m && m.kind !== 'leaky') || a?.kind === 'distribution') return undefined
  return {
    integrators: integrators + resonators === 0 ? 1 : integrators,
    resonators,
    affinity: a === undefined || (affinity && a.kind !== 'logits'),
    surpriseReset: surpriseReset && m !== undefined,
  }
}

/** The selection drawn; dense where it does not fit the rest. */
function selectionOf(
  { kind, k, softmax, scale }: typeof selections extends fc.Arbitrary<infer T> ? T : never,
  experts: number,
  hasSpikes: boolean,
): SelectConfig {
  if (kind === 'top-k') return { kind, k: 1 + (k % experts), softmax, scale }
  return kind === 'spike' && hasSpikes ? { kind, softmax } : { kind: 'dense' }
}

/** Random configurations. */
export const gateConfigs: fc.Arbitrary<GateConfig> = fc
  .record({
    dim: fc.integer({ min: 1, max: 5 }),
    experts: fc.integer({ min: 1, max: 5 }),
    bias: fc.boolean(),
    oracle: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
    select: selections,
    memory: maybe(memory),
    precision: maybe(precision),
    anticipation: maybe(anticipation),
    clock: rarely(clock),
    belief: rarely(belief),
  })
  .map(({ oracle, select, memory, anticipation: drawn, clock: time, belief, ...shape }): GateConfig => {
    const anticipation = fits(drawn, memory) ? drawn : undefined
    const hasSpikes = !oracle && !belief && memory?.kind === 'membrane' && anticipation === undefined
    const common = defined({ ...shape, select: selectionOf(select, shape.experts, hasSpikes) })
    const parts = belief
      ? { belief }
      : { memory, anticipation, clock: time && clockOf(time, memory, anticipation) }
    return defined({ ...common, ...(oracle ? { router: 'oracle' } : parts) }) as GateConfig
  })

const losses: fc.Arbitrary<LossConfig> = fc.record({
  kind: fc.constantFrom('cross-entropy', 'mse'),
  on: fc.constantFrom('logits', 'weights'),
  time: fc.constantFrom('sum', 'mean'),
  predictionWeight: fc.constantFrom(0, 0.5),
})

/** See {@link GateRecipe}. */
export const gateRecipes: fc.Arbitrary<GateRecipe> = fc.noBias(
  fc.record({
    config: gateConfigs,
    batch: fc.integer({ min: 1, max: 3 }),
    steps: fc.integer({ min: 1, max: 6 }),
    seed: fc.noShrink(fc.nat({ max: 2 ** 30 })),
    form: fc.constantFrom('sequence', 'stream', 'training'),
    reset: fc.boolean(),
    mask: fc.boolean(),
    loss: losses,
    optimizer: fc.constantFrom('sgd', 'momentum', 'adam'),
  }),
)

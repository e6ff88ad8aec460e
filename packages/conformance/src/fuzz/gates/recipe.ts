/** Random gates: every mechanism on and off, in every kind, with its numbers. */
import type {
  AnticipationConfig,
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
const decay = fc.integer({ min: 1, max: 99 }).map((n) => n / 100)

const memory: fc.Arbitrary<MemoryConfig> = fc.oneof(
  fc.record({ kind: fc.constant('leaky' as const), beta: decay, learned: fc.boolean() }),
  fc.record({
    kind: fc.constant('leaky' as const),
    tau: fc.integer({ min: 1, max: 40 }).map((n) => n / 4),
    learned: fc.boolean(),
  }),
)
const precision: fc.Arbitrary<PrecisionConfig> = fc.record({ kind: fc.constantFrom('gain', 'evidence') })
const anticipation: fc.Arbitrary<AnticipationConfig> = fc.record({
  kind: fc.constantFrom('direct', 'additive'),
  width: fc.integer({ min: 1, max: 6 }),
  depth: fc.integer({ min: 1, max: 2 }),
  activation: fc.constantFrom('relu', 'gelu'),
  rank: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
})

/** Fields that are not there stay out: configurations refuse unknown ones and `undefined` alike. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}

const selections = fc.record({
  kind: fc.constantFrom('dense', 'top-k'),
  k: fc.nat({ max: 5 }),
  softmax: fc.constantFrom('before', 'after'),
})

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
  })
  .map(({ oracle, select, memory, anticipation, ...shape }): GateConfig => {
    const selection: SelectConfig =
      select.kind === 'dense'
        ? { kind: 'dense' }
        : { kind: 'top-k', k: 1 + (select.k % shape.experts), softmax: select.softmax }
    const common = defined({ ...shape, select: selection })
    return (
      oracle ? { ...common, router: 'oracle' } : defined({ ...common, memory, anticipation })
    ) as GateConfig
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

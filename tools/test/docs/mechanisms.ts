/** The pages of docs/mechanisms: what each is about, and how a default that it states is checked. */
import {
  type AnticipationConfig,
  adam,
  adamW,
  type BeliefConfig,
  type ClockConfig,
  cosineAnnealing,
  createLanguageModel,
  createMixture,
  GraphBuilder,
  type LossConfig,
  type MemoryConfig,
  type Optimizer,
  ops,
  type PrecisionConfig,
  precisionTracker,
  resolveGateConfig,
  type SelectConfig,
  sgd,
  warmUp,
} from '@fep-moe/core'
import { resolveMoeLayer } from '@fep-moe/core/moe'
import { resolvePolicy } from '@fep-moe/core/policies'
import { applyOptimizer, resolveLoss } from '@fep-moe/core/training'

type Kinds<C extends { readonly kind: string }> = Readonly<Record<C['kind'], string>>

/** Page of each kind; the compiler lists a kind that has none. */
export const kinds: {
  readonly memory: Kinds<MemoryConfig>
  readonly precision: Kinds<PrecisionConfig>
  readonly anticipation: Kinds<AnticipationConfig>
  readonly select: Kinds<SelectConfig>
} = {
  memory: {
    leaky: 'leaky-memory',
    membrane: 'membrane',
    probability: 'probability-memory',
    mean: 'mean-pooling',
  },
  precision: { gain: 'precision', evidence: 'precision' },
  anticipation: {
    direct: 'direct-anticipation',
    additive: 'additive-anticipation',
    logits: 'logits-anticipation',
    distribution: 'distribution-anticipation',
  },
  select: { dense: 'selection', 'top-k': 'selection', spike: 'selection' },
}

type Fields = Readonly<Record<string, unknown>>
type FieldsOf<C, K> = Exclude<keyof Extract<C, { readonly kind: K }>, 'kind'>
type FieldTable<C extends { readonly kind: string }> = {
  readonly [K in C['kind']]: Readonly<Record<FieldsOf<C, K>, true>>
}

/** Fields of each kind; the compiler lists one that is missing or too many. */
export const fields: {
  readonly memory: FieldTable<MemoryConfig>
  readonly precision: FieldTable<PrecisionConfig>
  readonly anticipation: FieldTable<AnticipationConfig>
  readonly select: FieldTable<SelectConfig>
} = {
  memory: {
    leaky: { beta: true, tau: true, learned: true },
    membrane: {
      beta: true,
      tau: true,
      learned: true,
      threshold: true,
      reset: true,
      output: true,
      surrogate: true,
      slope: true,
    },
    probability: { tau: true, detach: true },
    mean: {},
  },
  precision: {
    gain: { scope: true, learned: true, momentum: true, epsilon: true, initialVariance: true },
    evidence: { scope: true, learned: true, momentum: true, epsilon: true, initialVariance: true },
  },
  anticipation: {
    direct: { width: true, depth: true, activation: true, rank: true, lossWeight: true },
    additive: { width: true, depth: true, activation: true, rank: true, lossWeight: true },
    logits: { width: true, depth: true, activation: true, rank: true },
    distribution: { momentum: true, width: true, depth: true, activation: true, rank: true },
  },
  select: { dense: {}, 'top-k': { k: true, softmax: true, scale: true }, spike: { softmax: true } },
}

/** Sections without kinds, which have a page each; the compiler lists a field that is missing or too many. */
export const sections: {
  readonly belief: Readonly<Record<keyof BeliefConfig, true>>
  readonly clock: Readonly<Record<keyof ClockConfig, true>>
} = {
  belief: {
    states: true,
    copies: true,
    phases: true,
    duration: true,
    width: true,
    cues: true,
    horizon: true,
    gain: true,
  },
  clock: { integrators: true, resonators: true, affinity: true, surpriseReset: true },
}

/** Width of the gates that defaults are read from; `4 · dim` in a table is four times it. */
export const DIM = 16
const size = { dim: DIM, experts: 4 }

/** Kinds that need another section beside theirs, or a field that has no default. */
const beside: Readonly<Record<string, Fields>> = {
  spike: { memory: { kind: 'membrane' } },
  'top-k': { select: { kind: 'top-k', k: 2 } },
}

const resolved = (section: string, kind: string, given: Fields): unknown =>
  resolveGateConfig({
    ...size,
    ...beside[kind],
    [section]: { ...(beside[kind]?.[section] as Fields | undefined), kind, ...given },
  })

const updates = (optimizer: Optimizer): unknown => {
  const builder = new GraphBuilder('optimizer')
  const p = builder.input('p', 'float32', [2])
  builder.output('grad/p', ops.mul(p, 2))
  return applyOptimizer(builder.build(), optimizer, ['p'])
}

const rates = (schedule: (t: number) => number) => Array.from({ length: 12 }, (_, t) => schedule(t))

const tracked = (given: Fields): unknown => {
  const tracker = precisionTracker({ experts: 3, ...given })
  return tracker.precision(tracker.update(tracker.init(), [0.1, 0.5, 2])).data
}

const layer = { ...size, router: { select: { kind: 'token-choice', k: 2 } } } as const

/** What options make of something; two that are equal here have the same meaning. */
export const subjects: Readonly<Record<string, (given: Fields) => unknown>> = {
  gate: (given) => resolveGateConfig({ ...size, ...given }),
  belief: (belief) => resolveGateConfig({ ...size, belief }),
  clock: (clock) => resolveGateConfig({ ...size, clock }),
  tracker: tracked,
  loss: (given) =>
    resolveLoss(resolveGateConfig({ ...size, anticipation: { kind: 'direct' } }), {
      kind: 'cross-entropy',
      ...given,
    } as LossConfig),
  sgd: (given) => updates(sgd({ lr: 0.1, ...given })),
  adam: (given) => updates(adam({ lr: 0.1, ...given })),
  adamW: (given) => updates(adamW({ lr: 0.1, ...given })),
  cosineAnnealing: (given) => rates(cosineAnnealing({ lr: 0.1, steps: 10, ...given })),
  warmUp: (given) => rates(warmUp(cosineAnnealing({ lr: 0.1, steps: 5 }), { steps: 5, ...given })),
  mixture: (given) => {
    const { gate, experts } = createMixture({ ...size, ...given })
    return { gate, experts }
  },
  languageModel: (given) => createLanguageModel({ vocabulary: 26, ...size, ...given }).config,
  threshold: (given) => resolvePolicy({ kind: 'threshold', ...given }, 16),
  'cosine-threshold': (given) => resolvePolicy({ kind: 'cosine-threshold', ...given }, 16),
  'token-choice': (given) => resolvePolicy({ kind: 'token-choice', k: 2, ...given }, 16),
  layer: (given) => resolveMoeLayer({ ...layer, ...given }),
  'layer.expert': (expert) => resolveMoeLayer({ ...layer, expert }),
  // Options of an expert, inside those of a mixture or a language model.
  'mixture.expert': (expert) => createMixture({ ...size, expert }).experts,
  'languageModel.expert': (expert) => createLanguageModel({ vocabulary: 26, ...size, expert }).config,
}

/** A row of a table of hyperparameters. */
export interface Row {
  /** As it is printed: `memory.beta`, `adam.betas`. */
  readonly field: string
  /** Stated defaults: text, and the kind or alternative they hold for, where the row names one. */
  readonly defaults: readonly { readonly text: string; readonly only?: string }[]
}

/** `0.95` (`gain`), `0.9` (`evidence`) and the like. */
export const readRow = ([field, stated]: readonly string[]): Row => ({
  field: (field as string).replaceAll('`', ''),
  defaults: [...(stated as string).matchAll(/`([^`]+)`(?: \(`([^`]+)`\))?/g)].map(([, text, only]) => ({
    text: text as string,
    ...(only && { only }),
  })),
})

const parsed = (text: string): unknown =>
  text === '4 · dim' ? 4 * DIM : text === 'dim' ? DIM : JSON.parse(text.replaceAll("'", '"'))

/** Alternatives within a kind that a default may depend on. */
const alternatives: Readonly<Record<string, Fields>> = {
  beta: { beta: 0.7 },
  tau: { tau: 3 },
  atan: { surrogate: 'atan' },
  'fast-sigmoid': { surrogate: 'fast-sigmoid' },
}

/** What a field is without being said and with its stated default, for each kind of the page that has it. */
export function compared({ field, defaults }: Row, page: string): { without: unknown; given: unknown }[] {
  const at = field.lastIndexOf('.')
  const [section, name] = [at < 0 ? 'gate' : field.slice(0, at), field.slice(at + 1)]
  return defaults.flatMap(({ text, only }) => {
    const value = { [name]: parsed(text) }
    if (!(section in kinds)) {
      const subject = subjects[section]
      return subject ? [{ without: subject({}), given: subject(value) }] : []
    }
    const pages = kinds[section as keyof typeof kinds] as Readonly<Record<string, string>>
    const table = fields[section as keyof typeof fields] as Readonly<Record<string, Fields>>
    const context = only && alternatives[only] ? alternatives[only] : {}
    return Object.keys(pages)
      .filter((kind) => pages[kind] === page && name in (table[kind] as Fields))
      .filter((kind) => !only || only in alternatives || only === kind)
      .map((kind) => ({
        without: resolved(section, kind, context),
        given: resolved(section, kind, { ...context, ...value }),
      }))
  })
}

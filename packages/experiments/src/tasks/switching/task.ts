/**
 * Streams that switch between domains: hidden semi-Markov chains with Gaussian tokens. A stay in a domain lasts as its law
 * says, then another domain follows. The right expert at step t is that of the domain at t+1, so a gate must infer the
 * domain from noisy tokens and tell what comes next. `filter.ts` has the best that is possible, to the digit.
 *
 * Domain k puts its signal on the k-th of K equal parts of a token. Options add what else a stream may have: a slow change
 * of the mean, a cue that a switch is near, experts that differ in a reliability which only their errors show.
 */
import { FepError, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import { type DurationLaw, durationSchema } from './durations.js'

/** A weak sign of what comes: the last dimension of a token has a signal of its own. */
export interface CueSettings {
  /** Steps between the cue and the first token of the next domain, >= 1 and at most the least duration. */
  readonly lead: number
  /** Probability of a cue `lead` steps before a switch, 0..1. */
  readonly hits: number
  /** Probability of a cue at any other step, 0..1. */
  readonly falseAlarms: number
  /** What a cue adds to the last dimension, > 0. */
  readonly strength: number
}

/**
 * Two experts for each domain, of which one is reliable. The squared error of an expert at a step is that of N(0, v),
 * v = reliable² or unreliable², plus mismatch² where the domain is not its own.
 */
export interface ReliabilitySettings {
  /** Probability that the two experts of a domain change places between two steps, for every domain, (0, 1). */
  readonly flip: number
  /** Standard deviation of the error of a reliable expert, > 0. */
  readonly reliable: number
  /** Of an unreliable one, > 0. */
  readonly unreliable: number
  /** What another domain adds to it, in squares, >= 0. */
  readonly mismatch: number
}

/** A stream that switches. JSON. */
export interface SwitchingTask {
  /** Sequences per batch B, >= 1. */
  readonly batch: number
  /** Tokens per sequence T, >= 1; each has a target, the last one too. */
  readonly steps: number
  /** Width of a token d: a multiple of `domains`, and one more with a cue. */
  readonly dim: number
  /** K >= 2. */
  readonly domains: number
  /** E, a multiple of K: expert D · E/K is right for domain D, the others are decoys. With reliability E = 2 K. */
  readonly experts: number
  /** Signal on each dimension of the domain's part, > 0. */
  readonly signal: number
  /** Standard deviation of the noise on every dimension, > 0. */
  readonly noise: number
  /** How long a stay lasts; that of the first domain starts with the sequence. */
  readonly duration: DurationLaw
  /** Of all stays after the first. Null: the same. */
  readonly later: DurationLaw | null
  /** Probability that domain k + 1 mod K follows k, 0..1; the K − 2 others share the rest. 1 where K = 2. */
  readonly successor: number
  /**
   * Steps n over which the mean slides from the domain before, 0..least duration: it has gone a/(n+1) of the way at the
   * a-th step of the stay. «The domain» is then the nearer one: the domain before, up to half-way.
   */
  readonly slide: number
  /** Null: none. */
  readonly cue: CueSettings | null
  /** Null: experts do not differ. */
  readonly reliability: ReliabilitySettings | null
  /** Steps that are scored, from..to−1, within 0..T. */
  readonly scored: { readonly from: number; readonly to: number }
}

const probability = v.custom<number>((x) => typeof x === 'number' && x >= 0 && x <= 1, 'a number in 0..1')

const schema = v.strictObject({
  batch: schemas.integerFrom(1, 2 ** 20),
  steps: schemas.integerFrom(1, 2 ** 20),
  dim: schemas.integerFrom(2, 2 ** 16),
  domains: schemas.integerFrom(2, 64),
  experts: schemas.integerFrom(2, 2 ** 16),
  signal: schemas.positive,
  noise: schemas.positive,
  duration: durationSchema,
  later: v.nullable(durationSchema),
  successor: probability,
  slide: schemas.integerFrom(0, 2 ** 16),
  cue: v.nullable(
    v.strictObject({
      lead: schemas.integerFrom(1, 2 ** 16),
      hits: probability,
      falseAlarms: probability,
      strength: schemas.positive,
    }),
  ),
  reliability: v.nullable(
    v.strictObject({
      flip: schemas.decayFactor,
      reliable: schemas.positive,
      unreliable: schemas.positive,
      mismatch: schemas.nonNegative,
    }),
  ),
  scored: v.strictObject({
    from: schemas.integerFrom(0, 2 ** 20),
    to: schemas.integerFrom(1, 2 ** 20),
  }),
})

/** Domains with pairs of experts whose joint reliability a filter can follow: it has 2^K states. */
const MOST_PAIRS = 10

/** Checks a task. @throws FEP_BAD_CONFIG naming the field */
export function resolveSwitching(task: SwitchingTask): SwitchingTask {
  const t = schemas.parse(schema, task, 'task')
  const refuse = (field: string, found: unknown, accepted: string): never => {
    throw new FepError('FEP_BAD_CONFIG', `task.${field} is ${String(found)}; accepted: ${accepted}`)
  }
  const { dim, domains, experts, cue, reliability, scored, steps } = t
  const laws = [t.duration, ...(t.later ? [t.later] : [])]
  const leastOf = (law: DurationLaw) =>
    law.kind === 'uniform' ? law.least : law.kind === 'forever' ? steps + 1 : 1
  const least = Math.min(...laws.map(leastOf))
  if (signalWidth(t) % domains !== 0)
    refuse('dim', dim, `a multiple of task.domains, ${domains}${cue ? ', and one more for the cue' : ''}`)
  if (experts % domains !== 0) refuse('experts', experts, `a multiple of task.domains, ${domains}`)
  if (reliability && experts !== 2 * domains) refuse('experts', experts, `two a domain, ${2 * domains}`)
  if (reliability && domains > MOST_PAIRS) refuse('domains', domains, `2..${MOST_PAIRS} with reliability`)
  if (domains === 2 && t.successor !== 1) refuse('successor', t.successor, '1 with two domains')
  if (t.slide > 0 && t.slide > least) refuse('slide', t.slide, `0..${least}, the least duration`)
  if (cue) {
    if (t.slide > 0) refuse('cue', 'given', 'none with a slide')
    if (laws.some(({ kind }) => kind !== 'uniform'))
      refuse('cue', 'given', 'none unless durations are uniform')
    if (cue.lead > least) refuse('cue.lead', cue.lead, `1..${least}, the least duration`)
  }
  if (scored.to > steps) refuse('scored.to', scored.to, `1..${steps}`)
  if (scored.from >= scored.to) refuse('scored.from', scored.from, `0..${scored.to - 1}`)
  return t
}

/** Dimensions that show the domain: all but that of the cue. */
export const signalWidth = ({ dim, cue }: Pick<SwitchingTask, 'dim' | 'cue'>): number => (cue ? dim - 1 : dim)

/** How far the mean has gone from the domain before at the a-th step of a stay, in (0, 1]. */
export const slid = (slide: number, age: number): number => (age > slide ? 1 : age / (slide + 1))

/** Validation of policies, and their defaults. */
import * as v from 'valibot'
import { FepError, show } from '../errors.js'
import { averagingFactor, integerFrom, nonNegative, parse, positive } from '../schema.js'
import type { ResolvedPolicy, ResolvedShare, ShareConfig } from './config.js'

const flag = (value: boolean) => v.optional(v.boolean(), value)
const steps = v.optional(integerFrom(0), 0)
const updates = v.optional(v.nullable(integerFrom(1)), null)

const share = {
  granularity: v.optional(integerFrom(1), 2),
  expansion: v.optional(integerFrom(1)),
  sharedExpert: flag(false),
}
const chosenByExperts = {
  ...share,
  weights: v.optional(
    v.picklist(['sigmoid', 'relu', 'softmax-tokens', 'softmax-experts', 'softmax-experts-shared-out']),
    'sigmoid',
  ),
  divideByFanout: flag(false),
  decay: v.optional(averagingFactor, 0.999),
  averageFrom: steps,
}

const schemasFor = (experts: number) => ({
  threshold: v.strictObject({
    kind: v.literal('threshold'),
    ...chosenByExperts,
    comparison: v.optional(v.picklist(['>=', '>']), '>='),
    warmUp: steps,
    capacity: v.optional(v.nullable(nonNegative), 0.5),
    reviveAfter: updates,
  }),
  'expert-choice': v.strictObject({
    kind: v.literal('expert-choice'),
    ...chosenByExperts,
    pool: updates,
  }),
  'cosine-threshold': v.strictObject({
    kind: v.literal('cosine-threshold'),
    comparison: v.optional(v.picklist(['>=', '>']), '>'),
    decay: v.optional(averagingFactor, 0.999),
    weights: v.optional(v.picklist(['sigmoid', 'binary']), 'sigmoid'),
    reviveAfter: updates,
  }),
  'token-choice': v.strictObject({
    kind: v.literal('token-choice'),
    k: integerFrom(1, experts),
    weights: v.optional(v.picklist(['softmax', 'sigmoid', 'relu']), 'softmax'),
    normalize: v.optional(v.boolean()),
    anchor: flag(false),
    scale: v.optional(positive, 1),
    noise: v.optional(
      v.nullable(
        v.variant('kind', [
          v.strictObject({ kind: v.literal('normal'), std: v.optional(positive, 1 / experts) }),
          v.strictObject({ kind: v.literal('learned') }),
        ]),
      ),
      null,
    ),
    balance: v.optional(nonNegative, 0),
    balanceForm: v.optional(v.picklist(['product', 'error']), 'product'),
    zLoss: v.optional(nonNegative, 0),
    biasRate: v.optional(nonNegative, 0),
    biasOn: v.optional(v.picklist(['logits', 'scores']), 'logits'),
    capacity: v.optional(
      v.nullable(
        v.strictObject({
          factor: positive,
          minimum: v.optional(integerFrom(1), 1),
          keep: v.optional(v.picklist(['score', 'position']), 'score'),
        }),
      ),
      null,
    ),
  }),
  random: v.strictObject({ kind: v.literal('random'), k: integerFrom(1, experts) }),
  hash: v.strictObject({
    kind: v.literal('hash'),
    k: integerFrom(1, experts),
    vocabulary: integerFrom(1),
    seed: v.optional(integerFrom(0, Number.MAX_SAFE_INTEGER), 0),
  }),
})

/** Kinds of policies. */
export const POLICY_KINDS = [
  'threshold',
  'expert-choice',
  'cosine-threshold',
  'token-choice',
  'random',
  'hash',
] as const

/**
 * Checks a policy and fills in its defaults.
 * @param experts number of experts, an integer >= 1
 * @param path prefix of the path in messages. Default `policy`.
 * @throws FEP_BAD_CONFIG naming the path of the field, its value and what is accepted
 */
export function resolvePolicy(config: unknown, experts: number, path = 'policy'): ResolvedPolicy {
  parse(integerFrom(1), experts, `${path}.experts`)
  const kind = (config as { kind?: unknown } | null | undefined)?.kind as keyof ReturnType<typeof schemasFor>
  if (!POLICY_KINDS.includes(kind))
    throw new FepError(
      'FEP_BAD_CONFIG',
      `${path}.kind is ${show(kind)}; accepted: ${POLICY_KINDS.map((k) => `'${k}'`).join(', ')}`,
    )
  const parsed = parse(schemasFor(experts)[kind], config, path)
  const shared = 'granularity' in parsed ? resolveShare(parsed as never, experts, path) : {}
  const choice =
    parsed.kind === 'token-choice' ? { normalize: parsed.normalize ?? parsed.weights === 'softmax' } : {}
  if (parsed.kind === 'token-choice' && parsed.anchor && parsed.weights !== 'softmax')
    throw new FepError(
      'FEP_BAD_CONFIG',
      `${path}.anchor is true; with weights '${parsed.weights}' there is no softmax to put an anchor into`,
    )
  return { ...parsed, ...shared, ...choice, experts } as ResolvedPolicy
}

function resolveShare(given: ShareConfig, experts: number, path: string): ResolvedShare {
  const { granularity = 2, sharedExpert = false } = given
  const expansion = given.expansion ?? experts / granularity
  if (!Number.isInteger(expansion))
    throw new FepError(
      'FEP_BAD_CONFIG',
      `${path}.expansion is not given, and ${experts} experts are no multiple of the granularity ${granularity}; ` +
        'accepted: an integer >= 1',
    )
  if (sharedExpert && granularity < 2)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `${path}.granularity is ${granularity}; beside a shared expert accepted: an integer >= 2, else nothing is left for the others`,
    )
  return { granularity, expansion, sharedExpert }
}

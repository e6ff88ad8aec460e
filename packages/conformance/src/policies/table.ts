/** Policies by name: what the cases of decisions, streams, training and padding run. */
import type { PolicyConfig } from '@fep-moe/core/policies'

/** Experts of these policies; share 1/2, beside a shared expert 1/4. */
export const EXPERTS = 4
/** Ids of tokens, for `hash`. */
export const VOCABULARY = 11

const thresholdWeights = [
  'sigmoid',
  'relu',
  'softmax-tokens',
  'softmax-experts',
  'softmax-experts-shared-out',
] as const

/** Every kind, in every form that changes a decision. */
export const POLICIES: Readonly<Record<string, PolicyConfig>> = {
  ...Object.fromEntries(
    thresholdWeights.map((weights) => [`threshold/${weights}`, { kind: 'threshold', weights } as const]),
  ),
  'threshold/greater': { kind: 'threshold', comparison: '>' },
  'threshold/shared': { kind: 'threshold', sharedExpert: true },
  'threshold/by-fanout': { kind: 'threshold', divideByFanout: true },
  'threshold/no-capacity': { kind: 'threshold', capacity: null },
  'threshold/capacity-0': { kind: 'threshold', capacity: 0 },
  'threshold/warm-up': { kind: 'threshold', warmUp: 2 },
  'threshold/warm-up/no-capacity': { kind: 'threshold', warmUp: 2, capacity: null },
  'expert-choice/all': { kind: 'expert-choice' },
  'expert-choice/pool-1': { kind: 'expert-choice', pool: 1 },
  'expert-choice/softmax-tokens': { kind: 'expert-choice', weights: 'softmax-tokens' },
  'cosine-threshold/sigmoid': { kind: 'cosine-threshold' },
  'cosine-threshold/binary': { kind: 'cosine-threshold', weights: 'binary', comparison: '>=' },
  'token-choice/softmax-after': { kind: 'token-choice', k: 2 },
  'token-choice/softmax-before': { kind: 'token-choice', k: 2, normalize: false },
  'token-choice/anchor': { kind: 'token-choice', k: 2, normalize: false, anchor: true },
  'token-choice/sigmoid': { kind: 'token-choice', k: 2, weights: 'sigmoid' },
  'token-choice/sigmoid-normalized': {
    kind: 'token-choice',
    k: 2,
    weights: 'sigmoid',
    normalize: true,
    scale: 2.5,
  },
  'token-choice/relu': { kind: 'token-choice', k: 2, weights: 'relu', normalize: true },
  'token-choice/all': { kind: 'token-choice', k: EXPERTS },
  'token-choice/noisy': { kind: 'token-choice', k: 2, noise: { kind: 'normal', std: 0.5 } },
  'token-choice/bias': { kind: 'token-choice', k: 1, biasRate: 0.05 },
  'token-choice/capacity-score': { kind: 'token-choice', k: 2, capacity: { factor: 0.75 } },
  'token-choice/capacity-position': {
    kind: 'token-choice',
    k: 2,
    capacity: { factor: 0.75, keep: 'position' },
  },
  'token-choice/losses': { kind: 'token-choice', k: 2, balance: 0.01, zLoss: 0.001 },
  random: { kind: 'random', k: 2 },
  hash: { kind: 'hash', k: 2, vocabulary: VOCABULARY, seed: 5 },
}

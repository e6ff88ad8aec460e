/** Configurations under the papers' names. */
import type { GateConfig } from './config.js'

const beta = { kind: 'leaky', beta: 0.9, learned: true } as const
const gain = { kind: 'gain', momentum: 0.95, epsilon: 1e-4, initialVariance: 0.5 } as const
const membrane = { kind: 'membrane', threshold: 1, reset: 'soft-cap' } as const
const tau = { kind: 'probability', tau: 2 } as const
const ownEvidence = { kind: 'evidence', scope: 'sequence', momentum: 0.9, epsilon: 1e-8 } as const
const direct = { kind: 'direct', activation: 'relu', lossWeight: 0.5 } as const
const additive = { kind: 'additive', activation: 'gelu', lossWeight: 0.5 } as const

/**
 * Presets without their size. `fep` is the recommended gate where experts depend on what a sequence is going through.
 * `paper-a/*` are the conditions of the ablation (§4.4, Tables 4 and 5) and the routers of Table 1 (last token: `affinity`,
 * trained with `time: 'last'`), `skill/*` the variant that the paper's agent skill gives.
 */
export const presets = {
  /** The router of every mixture of experts: softmax(W x + b). */
  affinity: {},
  /** A learned Bayes filter that decides for the next token: a state per expert, durations up to 16 steps, signs up to 3 early. */
  fep: { belief: { cues: 4 }, precision: { kind: 'evidence' } },
  'paper-a/beta': { memory: beta },
  'paper-a/pi': { precision: gain },
  'paper-a/ant': { anticipation: direct },
  'paper-a/beta+pi': { memory: beta, precision: gain },
  'paper-a/beta+ant': { memory: beta, anticipation: direct },
  'paper-a/pi+ant': { precision: gain, anticipation: direct },
  'paper-a/full': { memory: beta, precision: gain, anticipation: direct },
  'paper-a/oracle': { router: 'oracle' },
  /** The form for language models (§3.3, §3.5). */
  'paper-a/additive': { memory: beta, anticipation: additive },
  /** Mean pooling (Table 1). */
  'paper-a/mean': { memory: { kind: 'mean' } },
  /** A membrane per expert with a soft cap, β fixed (Table 1; .9 in task A, .75 in task B) or learned. */
  'paper-a/membrane': { memory: { ...membrane, beta: 0.9, learned: false } },
  'paper-a/membrane-learned': { memory: { ...membrane, beta: 0.9, learned: true } },
  /** The τ form with Π as evidence, every sequence with its own: p = softmax(z + log Π + s). */
  'skill/gate': { memory: tau, precision: ownEvidence },
  /** The same plus an anticipated distribution, of which the two best are taken, with weights as the skill adds them up. */
  'skill/full': {
    memory: tau,
    precision: ownEvidence,
    anticipation: { kind: 'distribution', momentum: 0.9 },
    select: { kind: 'top-k', k: 2, softmax: 'before', scale: 2 },
  },
} as const satisfies Readonly<Record<string, Omit<GateConfig, 'dim' | 'experts'>>>

/** Name of a preset. */
export type PresetName = keyof typeof presets

/** A preset with its size. @example createGate(preset('paper-a/full', { dim: 16, experts: 4 })) */
export function preset<N extends PresetName>(
  name: N,
  size: { readonly dim: number; readonly experts: number },
): (typeof presets)[N] & { readonly dim: number; readonly experts: number } {
  return { ...presets[name], dim: size.dim, experts: size.experts }
}

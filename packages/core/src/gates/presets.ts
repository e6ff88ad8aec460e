/** Configurations under the papers' names. */
import type { GateConfig } from './config.js'

const beta = { kind: 'leaky', beta: 0.9, learned: true } as const
const gain = { kind: 'gain', momentum: 0.95, epsilon: 1e-4, initialVariance: 0.5 } as const
const direct = { kind: 'direct', activation: 'relu', lossWeight: 0.5 } as const
const additive = { kind: 'additive', activation: 'gelu', lossWeight: 0.5 } as const

/** Presets without their size. `paper-a/*` are the conditions of the ablation (§4.4, Tables 4 and 5). */
export const presets = {
  /** The router of every mixture of experts: softmax(W x + b). */
  affinity: {},
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

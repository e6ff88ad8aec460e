/** Configurations of the mechanisms beyond memory per dimension, gain or evidence, and prediction: what the other files run through their cases. */
import { type GateConfig, preset, type SelectConfig } from '@fep-moe/core'

const size = { dim: 5, experts: 4 }
const membrane = { kind: 'membrane', beta: 0.8, threshold: 0.4 } as const
const skill = preset('skill/full', size)

/** Name → configuration. Thresholds are low enough that membranes of random tokens cross them. */
export const RARER: Readonly<Record<string, GateConfig>> = {
  mean: { ...size, memory: { kind: 'mean' } },
  membrane: { ...size, memory: membrane },
  'membrane-fixed': { ...size, memory: { ...membrane, beta: [0.9, 0.5, 0.7, 0.2], learned: false } },
  'membrane-tau': { ...size, memory: { kind: 'membrane', tau: 3, threshold: 0.4 } },
  'membrane-subtract': { ...size, memory: { ...membrane, reset: 'subtract' } },
  'membrane-zero': { ...size, memory: { ...membrane, reset: 'zero' } },
  'membrane-none': { ...size, memory: { ...membrane, reset: 'none' } },
  'membrane+gain/top-2': {
    ...size,
    memory: membrane,
    precision: { kind: 'gain' },
    select: { kind: 'top-k', k: 2 },
  },
  'membrane+distribution': { ...size, memory: membrane, anticipation: { kind: 'distribution', width: 6 } },
  'spike-output-atan': { ...size, memory: { ...membrane, reset: 'subtract', output: 'spike' } },
  'spike-output-fast-sigmoid': {
    ...size,
    memory: { ...membrane, reset: 'zero', output: 'spike', surrogate: 'fast-sigmoid', slope: 5 },
  },
  'spike-selection': { ...size, memory: membrane, select: { kind: 'spike' } },
  'spike-selection-softmax-before': {
    ...size,
    memory: { ...membrane, reset: 'subtract' },
    precision: { kind: 'evidence' },
    select: { kind: 'spike', softmax: 'before' },
  },
  'spike-selection-never': {
    ...size,
    memory: { ...membrane, threshold: 1e6 },
    select: { kind: 'spike' } satisfies SelectConfig,
  },
  probability: { ...size, memory: { kind: 'probability', tau: 2 } },
  'probability-detached': { ...size, memory: { kind: 'probability', tau: 4, detach: true } },
  'evidence-of-each-sequence': {
    ...size,
    memory: { kind: 'leaky' },
    precision: { kind: 'evidence', scope: 'sequence' },
    anticipation: { kind: 'additive', width: 6 },
  },
  distribution: { ...size, anticipation: { kind: 'distribution', width: 6, depth: 2 } },
  'evidence-tracked': {
    ...size,
    memory: { kind: 'leaky' },
    precision: { kind: 'evidence', scope: 'tracked', learned: true },
  },
  'gain-tracked+belief': {
    ...size,
    belief: { states: 3, phases: 2 },
    precision: { kind: 'gain', scope: 'tracked' },
  },
  belief: { ...size, belief: { phases: 5 } },
  'belief-present': { ...size, belief: { phases: 3, horizon: 0 } },
  'belief-one-phase': { ...size, belief: { phases: 1 } },
  'belief-phase-type': { ...size, belief: { states: 6, phases: 3, duration: 'phase-type' } },
  'belief+cues+evidence/top-2': {
    ...size,
    belief: { states: 2, phases: 4, width: 6, cues: 1 },
    precision: { kind: 'evidence' },
    select: { kind: 'top-k', k: 2 },
  },
  clock: { ...size, clock: { integrators: 3, resonators: 2 } },
  'clock+direct': {
    ...size,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'direct', width: 6 },
    clock: { integrators: 2 },
  },
  'clock+affinity+additive': {
    ...size,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'additive', width: 6 },
    clock: { integrators: 1, resonators: 1, affinity: true },
  },
  'clock+surprise': {
    ...size,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'logits', width: 6 },
    clock: { integrators: 2, surpriseReset: true },
  },
  'straight-to-logits': { ...size, anticipation: { kind: 'logits', width: 6, rank: 2 } },
  skill: { ...skill, anticipation: { ...skill.anticipation, width: 6 } },
}

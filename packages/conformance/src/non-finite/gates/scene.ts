/** What the gate cases of this group share. */
import type { GateConfig, Tensor } from '@fep-moe/core'
import type { ProcedureCase } from '../../frame/case.js'
import { EXACT } from '../../frame/case.js'
import { fill } from '../../frame/data.js'
import type { Probe } from '../../frame/probe.js'

export const [BATCH, STEPS, DIM, EXPERTS] = [3, 6, 5, 4]
const size = { dim: DIM, experts: EXPERTS }
/** As near to 1 as single precision tells. */
const memory = { kind: 'leaky', beta: 0.9999999 } as const

/** Gates of every mechanism. */
export const CONFIGS: Readonly<Record<string, GateConfig>> = {
  affinity: size,
  oracle: { ...size, router: 'oracle' },
  beta: { ...size, memory },
  'pi-gain': { ...size, precision: { kind: 'gain' } },
  'beta+direct': { ...size, memory, anticipation: { kind: 'direct', width: 6 } },
  'beta+additive-top-2': {
    ...size,
    memory,
    anticipation: { kind: 'additive', width: 6 },
    select: { kind: 'top-k', k: 2 },
  },
  'all-top-2-softmax-before': {
    ...size,
    memory: { kind: 'leaky', tau: 1e9 },
    precision: { kind: 'evidence' },
    anticipation: { kind: 'additive', width: 6, depth: 2, rank: 2 },
    select: { kind: 'top-k', k: 2, softmax: 'before' },
  },
  mean: { ...size, memory: { kind: 'mean' } },
  belief: { ...size, belief: { phases: 4 } },
  'belief-phase-type+cues+pi': {
    ...size,
    belief: { states: 3, phases: 3, duration: 'phase-type', cues: 3, width: 6, horizon: 0 },
    precision: { kind: 'evidence' },
  },
  'beta+clock+surprise': {
    ...size,
    memory,
    anticipation: { kind: 'direct', width: 6 },
    clock: { integrators: 2, resonators: 1, surpriseReset: true },
  },
  'pi-tracked': { ...size, precision: { kind: 'evidence', scope: 'tracked', learned: true } },
  'membrane-spikes': {
    ...size,
    memory: { kind: 'membrane', reset: 'subtract' },
    select: { kind: 'spike' },
  },
  'spike-output': { ...size, memory: { kind: 'membrane', reset: 'zero', output: 'spike' } },
  'probability+distribution': {
    ...size,
    memory: { kind: 'probability' },
    precision: { kind: 'evidence' },
    anticipation: { kind: 'distribution', width: 6 },
  },
}

/** Beyond what a gate takes: it is clamped. */
const extremePrecision: Tensor = fill([EXPERTS], (k) => [3.4e38, 1.4e-45, 1, 1e-20][k] as number)

/** The feed of Π, where the gate has one. */
export const extremeOptions = ({ precision }: GateConfig) =>
  precision && precision.scope !== 'tracked' ? { precision: extremePrecision } : {}

/** What a gate decides, in either form. */
export interface Decision {
  readonly weights: Tensor
  readonly indices: Tensor
  readonly margin: Tensor
  readonly logits: Tensor
  readonly next?: Tensor
}

/** Leaves out what is no decision. */
export const decisionOf = ({ weights, indices, margin, logits, next }: Decision): Decision => ({
  weights,
  indices,
  margin,
  logits,
  ...(next && { next }),
})

/** No NaN and no infinity. */
export const allFinite = (t: Tensor): boolean => t.data.every((v: number) => Number.isFinite(v))

/** Every index names an expert; where spikes select, −1 stands for none. */
export const inRange = ({ data }: Tensor, { select }: Pick<GateConfig, 'select'>): boolean =>
  data.every((k: number) => k >= (select?.kind === 'spike' ? -1 : 0) && k < EXPERTS)

/** Writes a case down. */
export const gateCase = (
  id: string,
  seed: number,
  note: string,
  check: (probe: Probe) => Promise<void>,
): ProcedureCase => ({
  kind: 'procedure',
  id: `non-finite/gates/${id}`,
  group: 'non-finite',
  seed,
  tolerance: EXACT,
  note,
  check,
})

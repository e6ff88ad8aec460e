/** What the gate cases share: gates by mechanism, tokens, and slices of sequences. */
import {
  type AnticipationConfig,
  createGate,
  type Gate,
  type GateConfig,
  type MemoryConfig,
  type PrecisionConfig,
  type SelectConfig,
  type Tensor,
} from '@fep-moe/core'
import type { ProcedureCase, Tolerance } from '../frame/case.js'
import { noise } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'

/** Writes a case down. */
export const gateCase = (
  id: string,
  seed: number,
  tolerance: Tolerance,
  note: string,
  check: (probe: Probe) => Promise<void>,
): ProcedureCase => ({ kind: 'procedure', id: `gates/${id}`, group: 'gates', seed, tolerance, note, check })

/** A gate's parts; absent ones are switched off. */
export interface Mechanisms {
  readonly dim: number
  readonly experts: number
  readonly bias?: boolean
  readonly memory?: MemoryConfig | undefined
  readonly precision?: PrecisionConfig | undefined
  readonly anticipation?: AnticipationConfig | undefined
  readonly select?: SelectConfig
}

/** The configuration without what is switched off. */
export function configOf({ memory, precision, anticipation, ...rest }: Mechanisms): GateConfig {
  return {
    ...rest,
    ...(memory ? { memory } : {}),
    ...(precision ? { precision } : {}),
    ...(anticipation ? { anticipation } : {}),
  }
}

/** A gate, and what to route with it. */
export interface Scene {
  readonly gate: Gate
  readonly params: ReturnType<Gate['init']>
  /** (B,T,d) */
  readonly x: Tensor
  readonly options: Told
}

/** Sets a scene: parameters from the gate's own initialization, noise for tokens, Π of different sizes. */
export function sceneOf(
  config: GateConfig,
  { batch, steps, seed }: { batch: number; steps: number; seed: number },
): Scene {
  const gate = createGate(config)
  return {
    gate,
    params: gate.init({ seed }),
    x: noise(seed, [batch, steps, config.dim], -2, 2),
    options: toldTo(config, batch, steps, seed + 1),
  }
}

/** What a gate is told beside tokens: Π (E), or (B,T,E); or, where it tracks Π itself, errors (B,T,E). */
export interface Told {
  readonly precision?: Tensor
  readonly feedback?: Tensor
}

/** Π of different sizes; where a gate tracks it, errors, and at a third of the tokens none. */
export function toldTo(
  { precision, experts }: Pick<GateConfig, 'precision' | 'experts'>,
  batch: number,
  steps: number,
  seed: number,
): Told {
  if (!precision) return {}
  const perToken = [batch, steps, experts]
  if (precision.scope === 'tracked') return { feedback: noise(seed, perToken, -0.5, 1) }
  return { precision: noise(seed, precision.scope === 'sequence' ? perToken : [experts], 0.3, 4) }
}

/** All that is told, changed. */
export const mapTold = (told: Told, change: (t: Tensor) => Tensor): Told =>
  Object.fromEntries(Object.entries(told).map(([name, t]) => [name, change(t)]))

/** The same for a part of the tokens: what they have for themselves is cut, Π that all share is not. */
export const cutTold = (told: Told, cut: (t: Tensor) => Tensor): Told =>
  mapTold(told, (t) => (t.shape.length === 3 ? cut(t) : t))

/** Options of one step of a stream. */
export const optionsAt = (told: Told, step: number): Told => cutTold(told, (t) => stepOf(t, step))

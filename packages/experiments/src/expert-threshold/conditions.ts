/** The policies that the language model is trained with. */
import { schemas } from '@fep-moe/core'
import { type MoeLayerConfig, paperBLayer } from '@fep-moe/core/moe'
import type { PolicyConfig } from '@fep-moe/core/policies'
import * as v from 'valibot'
import type { ExpertThresholdSettings } from './settings.js'

/** What a condition is. */
interface ConditionSpec {
  readonly policy: 'token-choice' | 'expert-choice' | 'threshold'
  /** Default true. */
  readonly shared?: boolean
  /** Coefficient of the load-balance loss, or step of the loss-free bias: the paper's. */
  readonly balance?: number
  readonly biasRate?: number
  /** Share of the batch that experts choose from at a time. Default 1. */
  readonly pool?: number
  /** Whether training begins with expert choice. Default true. */
  readonly warmUp?: boolean
}

/**
 * Token choice without and with each of the paper's ways to balance it; expert choice from an eighth of the batch, half of it
 * and all of it; Expert Threshold with warm-up or without, beside a shared expert or without. On average all compute the same:
 * two experts a token, the shared one included. Those without one have an expert less.
 */
export const expertThresholdConditions = {
  tc: { policy: 'token-choice' },
  'tc aux': { policy: 'token-choice', balance: 0.001 },
  'tc bias': { policy: 'token-choice', biasRate: 0.005 },
  'ec eighth': { policy: 'expert-choice', pool: 1 / 8 },
  'ec half': { policy: 'expert-choice', pool: 1 / 2 },
  ec: { policy: 'expert-choice' },
  et: { policy: 'threshold' },
  'et cold': { policy: 'threshold', warmUp: false },
  'et unshared': { policy: 'threshold', shared: false },
  'et cold unshared': { policy: 'threshold', warmUp: false, shared: false },
} as const satisfies Readonly<Record<string, ConditionSpec>>

/** Name of a condition. */
export type ExpertThresholdCondition = keyof typeof expertThresholdConditions

/** All of them, in the order of tables. */
export const conditionNames = Object.keys(expertThresholdConditions) as ExpertThresholdCondition[]

/** The parts of a condition. @throws FEP_BAD_CONFIG for an unknown one */
export function specOf(condition: string): ConditionSpec {
  const name = schemas.parse(v.picklist(conditionNames), condition, 'expertThreshold.condition')
  return expertThresholdConditions[name]
}

/** Dense hidden width over that of an expert (paper B). */
export const GRANULARITY = 2

function policyOf(spec: ConditionSpec, settings: ExpertThresholdSettings): PolicyConfig {
  const { batch, decay, warmUp, capacity } = settings
  const shares = { granularity: GRANULARITY, decay }
  switch (spec.policy) {
    case 'token-choice': {
      const { balance = 0, biasRate = 0 } = spec
      return { kind: 'token-choice', k: GRANULARITY - 1, weights: 'sigmoid', balance, biasRate }
    }
    case 'expert-choice':
      return { kind: 'expert-choice', ...shares, pool: batch * (spec.pool ?? 1) }
    case 'threshold':
      return { kind: 'threshold', ...shares, capacity, warmUp: (spec.warmUp ?? true) ? warmUp : 0 }
  }
}

/** The sparse layer of a condition. @throws FEP_BAD_CONFIG for an unknown one */
export function layerOf(condition: string, settings: ExpertThresholdSettings): MoeLayerConfig {
  const spec = specOf(condition)
  const { dim, experts, width } = settings
  return paperBLayer({ dim, experts, width }, policyOf(spec, settings), spec.shared ?? true)
}

/**
 * The same layer under Expert Threshold inference, where its experts choose; null for token choice, which has no cutoffs. Its
 * parameters are the same, and so is its state.
 */
export function thresholdLayerOf(
  condition: string,
  settings: ExpertThresholdSettings,
): MoeLayerConfig | null {
  const layer = layerOf(condition, settings)
  const { select } = layer.router
  if (select.kind !== 'expert-choice') return select.kind === 'threshold' ? layer : null
  const { pool: _, ...shared } = select
  return { ...layer, router: { ...layer.router, select: { ...shared, kind: 'threshold' } } }
}

/** The gates that the page offers: conditions of the ablation, and the additive form for language models. */
import { createGate, type Gate, type PresetName, preset } from '@fep-moe/core'
import { domainSwitch } from '@fep-moe/experiments'

/** Name of a condition, in the address of the page too. */
export type ConditionName = 'baseline' | 'beta' | 'ant' | 'beta+ant' | 'beta+pi+ant' | 'beta+additive'

interface Condition {
  readonly title: string
  readonly preset: PresetName
}

/** In the order in which the page lists them. */
export const conditions: Readonly<Record<ConditionName, Condition>> = {
  baseline: { title: 'Baseline: softmax(W x)', preset: 'affinity' },
  beta: { title: 'β: leaky memory', preset: 'paper-a/beta' },
  ant: { title: 'Ant: anticipation', preset: 'paper-a/ant' },
  'beta+ant': { title: 'β + Ant', preset: 'paper-a/beta+ant' },
  'beta+pi+ant': { title: 'β + Π + Ant', preset: 'paper-a/full' },
  'beta+additive': { title: 'β + additive anticipation', preset: 'paper-a/additive' },
}

/** The gate of a condition, in the size of the paper's task. */
export const gateOf = (condition: ConditionName): Gate =>
  createGate(
    preset(conditions[condition].preset, { dim: domainSwitch.dim, experts: domainSwitch.experts }),
  ) as Gate

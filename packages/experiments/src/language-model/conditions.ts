/** The gates that the language model is trained with. */
import { type LanguageModelConfig, type RouterConfig, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import type { LanguageModelSettings } from './settings.js'

const memory = { kind: 'leaky', learned: true, beta: 0.9 } as const
const network = { activation: 'gelu', lossWeight: 0.5 } as const

/**
 * Conditions: the paper's three, and anticipation in the direct form, which §3.3 warns of. That one dispatches a token on
 * the prediction of the token after it.
 */
export const languageModelConditions = {
  standard: {},
  beta: { memory },
  'beta+ant': { memory, anticipation: { kind: 'additive', ...network } },
  'beta+direct': { memory, anticipation: { kind: 'direct', ...network } },
} as const satisfies Readonly<Record<string, RouterConfig>>

/** Name of a condition. */
export type LanguageModelCondition = keyof typeof languageModelConditions

/** The model of a condition, in the form that is quick for few tokens. @throws FEP_BAD_CONFIG for an unknown one */
export function modelOf(
  condition: string,
  { vocabulary, dim, experts }: LanguageModelSettings,
): LanguageModelConfig {
  const names = Object.keys(languageModelConditions) as LanguageModelCondition[]
  const name = schemas.parse(v.picklist(names), condition, 'languageModel.condition')
  return {
    vocabulary,
    dim,
    experts,
    router: languageModelConditions[name],
    form: 'tables',
    dispatchAhead: name === 'beta+direct',
  }
}

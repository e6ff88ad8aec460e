/** Gates by how they could know when a switch is due, and the texts that they meet. */
import { type LanguageModelConfig, presets, type RouterConfig, schemas } from '@fep-moe/core'
import * as v from 'valibot'
import { languageModelConditions } from '../language-model/conditions.js'
import type { SwitchingTextSettings } from './settings.js'
import { type TextName, textNames } from './texts.js'

const paper = languageModelConditions['beta+ant']

/**
 * `beta+ant` is the paper's; a membrane saturates, and is then no clock. Resonators and integrators are clocks that start with
 * the text, which its predictor sees; `clock` is resonators alone, which the router sees. `belief` infers how long the present
 * alphabet has lasted: a state for each expert, phases for the longest stay of the two texts, and twice the default gain, because
 * at the paper's learning rate the hazard of the one phase that a stay ends with is slow to rise. `fep` is the recommended preset
 * as it is.
 */
export const switchingTextGates = {
  'beta+ant': paper,
  'beta+ant+integrators': { ...paper, clock: { integrators: 8 } },
  'beta+ant+resonators': { ...paper, clock: { resonators: 8 } },
  clock: { clock: { resonators: 8 } },
  belief: { belief: { phases: 48, gain: 8 } },
  fep: presets.fep,
} as const satisfies Readonly<Record<string, RouterConfig>>

/** Name of a gate of the comparison. */
export type SwitchingTextGate = keyof typeof switchingTextGates

/** Names of {@link switchingTextGates}. */
export const gateNames = Object.keys(switchingTextGates) as SwitchingTextGate[]

/** `once GATE`, then `often GATE`. */
export const switchingTextConditions: readonly string[] = textNames.flatMap((text) =>
  gateNames.map((gate) => `${text} ${gate}`),
)

/** The parts of a condition. @throws FEP_BAD_CONFIG for an unknown one */
export function partsOf(condition: string): { readonly text: TextName; readonly gate: SwitchingTextGate } {
  const known = schemas.parse(v.picklist(switchingTextConditions), condition, 'switchingText.condition')
  const [text, gate] = known.split(' ')
  return { text: text as TextName, gate: gate as SwitchingTextGate }
}

/**
 * The model around a gate. Experts dispatch on what the gate expects of the next letter, which is the one they are to predict:
 * that is what the belief gate decides on.
 */
export const modelWith = (
  gate: SwitchingTextGate,
  { vocabulary, dim, experts }: Pick<SwitchingTextSettings, 'vocabulary' | 'dim' | 'experts'>,
): LanguageModelConfig => ({
  vocabulary,
  dim,
  experts,
  router: switchingTextGates[gate],
  form: 'tables',
  dispatchAhead: true,
})

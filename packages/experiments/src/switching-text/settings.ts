/** Settings: the paper's for its language model, and how long an alphabet lasts where it changes often. */
import { FepError, schemas, show } from '@fep-moe/core'
import type { SettingsOverrides } from '../experiment.js'
import {
  type LanguageModelSettings,
  paperSettings,
  quickSettings,
  restoreLanguageModel,
} from '../language-model/settings.js'
import { changeSettings } from '../settings.js'
import { alternatingAlphabets } from '../tasks/alternating-alphabets.js'
import { type DurationLaw, durationSchema } from '../tasks/switching/durations.js'

/** `transitionWeight` holds for the text that changes once: where switches are not certain it would move the best answer. */
export interface SwitchingTextSettings extends LanguageModelSettings {
  /** How many letters an alphabet lasts in the text that changes often. */
  readonly duration: DurationLaw
}

const fullSettings: SwitchingTextSettings = { ...paperSettings, duration: alternatingAlphabets.duration }

/** The paper's settings with a user's changes. @throws FEP_BAD_CONFIG naming the field */
export const switchingTextSettings = (overrides?: SettingsOverrides): SwitchingTextSettings =>
  changeSettings(fullSettings, quickSettings, overrides)

/** Checks settings that were read from a file. @throws FEP_BAD_CONFIG naming the field */
export function restoreSwitchingText(value: unknown): SwitchingTextSettings {
  const { duration: given, ...rest } = { ...(value as object) } as Partial<SwitchingTextSettings>
  const settings = restoreLanguageModel(rest)
  const duration = schemas.parse(durationSchema, given, 'settings.duration')
  if (duration.kind === 'forever' || (duration.kind === 'uniform' && duration.least > settings.letters - 1))
    throw new FepError(
      'FEP_BAD_CONFIG',
      `settings.duration is ${show(duration)}; accepted: a law that may end within ${settings.letters - 1} letters`,
    )
  return { ...settings, duration }
}

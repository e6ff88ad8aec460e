/** The experiments, by name. A new one is a file of its own and a line here. */
import { FepError, show } from '@fep-moe/core'
import { ablation } from './ablation.js'
import { betaRouting } from './beta-routing.js'
import type { Experiment } from './experiment.js'
import { expertThreshold } from './expert-threshold.js'
import { languageModel } from './language-model.js'
import { overhead } from './overhead.js'
import { pastThePaper } from './past-the-paper.js'
import { precisionGating } from './precision.js'
import { routingEntropy } from './routing-entropy.js'
import { sensitivity } from './sensitivity.js'
import { switchingText } from './switching-text.js'

/** All experiments: the ablation, the other published ones in the order of their tables, our own after them. */
export const experiments: readonly Experiment[] = [
  ablation,
  betaRouting,
  precisionGating,
  routingEntropy,
  languageModel,
  overhead,
  sensitivity,
  expertThreshold,
  switchingText,
  pastThePaper,
]

/** Looks an experiment up. @throws FEP_BAD_ARGUMENT listing the names */
export function findExperiment(name: string): Experiment {
  const found = experiments.find((e) => e.name === name)
  if (!found)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `no experiment is called ${show(name)}; there is: ${experiments.map((e) => e.name).join(', ')}`,
    )
  return found
}

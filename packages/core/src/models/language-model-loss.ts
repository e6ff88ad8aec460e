/** The loss of a language model, with its defaults. */
import * as v from 'valibot'
import type { ResolvedGateConfig } from '../gates/config.js'
import { lossWeightOf } from '../gates/loss-config.js'
import { nonNegative, parse } from '../schema.js'
import type { LanguageModelLoss } from './language-model-graph.js'

const schema = v.strictObject({
  divideBy: v.optional(v.picklist(['tokens', 'weights']), 'tokens'),
  predictionWeight: v.optional(nonNegative),
})

/** Fills in a loss. @throws FEP_BAD_CONFIG */
export function resolveLanguageModelLoss(
  gate: ResolvedGateConfig,
  loss: LanguageModelLoss = {},
): Required<LanguageModelLoss> {
  const { divideBy, predictionWeight = lossWeightOf(gate) } = parse(schema, loss, 'loss')
  return { divideBy, predictionWeight }
}

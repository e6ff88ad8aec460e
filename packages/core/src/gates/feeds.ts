/** Feeds of a gate's graphs, in either layout. */
import type { GraphBuilder, Value } from '../graph/builder.js'
import { permute, reshape } from '../graph/expressions.js'
import { gateParams } from './compose.js'
import type { ResolvedGateConfig } from './config.js'
import { swapLayout } from './feature-major.js'
import { gateStates } from './state.js'

/** `batch-major`: (B, T, f), as users have it. `feature-major`: (f, T, B), as gates compute: no transposes at the edge. */
export type Layout = 'batch-major' | 'feature-major'

/** Feeds of all parameters, by name. */
export function declareParams(builder: GraphBuilder, config: ResolvedGateConfig): Record<string, Value> {
  return Object.fromEntries(
    gateParams(config).map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
  )
}

/** A feed of tokens, always returned features first. */
export function declareTokens(
  builder: GraphBuilder,
  name: string,
  features: number,
  steps: number,
  layout: Layout,
): Value {
  return layout === 'feature-major'
    ? builder.input(name, 'float32', [features, steps, 'batch'])
    : swapLayout(builder.input(name, 'float32', ['batch', steps, features]))
}

/** A feed of one number per token, always returned (T, B). */
export function declarePerToken(
  builder: GraphBuilder,
  name: string,
  dtype: 'float32' | 'int32' | 'bool',
  steps: number,
  layout: Layout,
): Value {
  return layout === 'feature-major'
    ? builder.input(name, dtype, [steps, 'batch'])
    : permute(builder.input(name, dtype, ['batch', steps]))
}

/** The feed of Π, where the gate has one: (E), or per token, returned features first; of errors, where it tracks Π. */
export function declarePrecision(
  builder: GraphBuilder,
  { precision, experts }: ResolvedGateConfig,
  steps: number,
  layout: Layout,
): Value | undefined {
  if (!precision) return undefined
  return precision.scope === 'shared'
    ? builder.input('precision', 'float32', [experts])
    : declareTokens(builder, precisionFeedName(precision), experts, steps, layout)
}

/** `precision`, or `feedback` where the gate is told errors and tracks Π itself. */
export const precisionFeedName = ({ scope }: NonNullable<ResolvedGateConfig['precision']>): string =>
  scope === 'tracked' ? 'feedback' : 'precision'

/** Feeds of all states (B, width), returned as (width, 1, B). */
export function declareStates(builder: GraphBuilder, config: ResolvedGateConfig): Record<string, Value> {
  return Object.fromEntries(
    gateStates(config).map(({ name, width }) => [
      name,
      reshape(permute(builder.input(`state/${name}`, 'float32', ['batch', width])), [width, 1, 'batch']),
    ]),
  )
}

/** Results of all states (width, 1, B), as (B, width). */
export function returnStates(builder: GraphBuilder, states: Readonly<Record<string, Value>>): void {
  for (const [name, v] of Object.entries(states))
    builder.output(`state/${name}`, permute(reshape(v, [v.shape[0] as number, 'batch'])))
}

/** The gate inside a model, and the rule that a token is dispatched on a decision about itself. */
import { FepError } from '../errors.js'
import type { ComposedGateConfig, ResolvedGateConfig } from '../gates/config.js'
import { decidesAhead } from '../gates/horizon.js'
import { resolveGateConfig } from '../gates/resolve-config.js'

/** A gate without its sizes, which the model gives it. */
export type RouterConfig = Omit<ComposedGateConfig, 'dim' | 'experts' | 'router'>

/**
 * Resolves the gate of a model.
 * @param dispatchAhead whether the user has allowed decisions for the next token
 * @throws FEP_BAD_CONFIG for a bad field, and for direct anticipation unless that was allowed
 */
export function resolveRouter(
  router: RouterConfig,
  size: { readonly dim: number; readonly experts: number },
  dispatchAhead: boolean,
  path: string,
): ResolvedGateConfig {
  const gate = resolveGateConfig({ ...router, ...size })
  requireDispatchable(gate, dispatchAhead, path)
  return gate
}

/** @throws FEP_BAD_CONFIG for a gate that decides for the next token, unless the user has allowed that */
export function requireDispatchable(gate: ResolvedGateConfig, dispatchAhead: boolean, path: string): void {
  if (dispatchAhead || !decidesAhead(gate)) return
  const [field, value, accepted] = gate.belief
    ? ['belief.horizon', 1, '0, or 1']
    : ['anticipation.kind', `'${gate.anticipation?.kind}'`, "'additive', 'distribution', or any"]
  throw new FepError(
    'FEP_BAD_CONFIG',
    `${path}.router.${field} is ${value}, which decides for the token after the one that is dispatched; ` +
      `accepted: ${accepted} with dispatchAhead: true`,
  )
}

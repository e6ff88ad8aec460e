/** When a gate's decision is about, and whether it says what comes next. */
import type { ResolvedGateConfig } from './config.js'

/** Whether a gate decides for the token after the one it is given. */
export const decidesAhead = ({ router, anticipation, belief }: ResolvedGateConfig): boolean =>
  router === 'oracle' ||
  anticipation?.kind === 'direct' ||
  anticipation?.kind === 'logits' ||
  belief?.horizon === 1

/** Whether a gate returns `next`. */
export const expectsNext = ({ anticipation, belief }: ResolvedGateConfig): boolean =>
  anticipation !== null || belief !== null

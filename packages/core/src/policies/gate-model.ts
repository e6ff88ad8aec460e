/** A gate whose selection is a policy, as plain data; its parameters. */
import { FepError, show } from '../errors.js'
import { gateParams } from '../gates/compose.js'
import type { ComposedGateConfig, ResolvedGateConfig } from '../gates/config.js'
import { linearSpecs, type ParameterSpec } from '../gates/parameters.js'
import { resolveGateConfig } from '../gates/resolve-config.js'
import type { PolicyConfig, ResolvedPolicy } from './config.js'
import { resolvePolicy } from './resolve.js'

/** The configuration of a gate (`createGate`), with a policy as its selection. JSON in, JSON out. */
export type SparseGateConfig = Omit<ComposedGateConfig, 'select' | 'router'> & {
  /** How logits become experts. */
  readonly select: PolicyConfig
}

/** A gate and its policy, with their defaults. */
export interface SparseGateModel {
  /** What makes the logits; its own selection is not used. */
  readonly gate: ResolvedGateConfig
  readonly policy: ResolvedPolicy
}

/**
 * Checks a configuration and fills in its defaults.
 * @throws FEP_BAD_CONFIG naming the path of the field
 */
export function resolveSparseGate(config: SparseGateConfig): SparseGateModel {
  const { select, ...rest } = (config ?? {}) as SparseGateConfig
  const gate = resolveGateConfig(rest)
  const policy = resolvePolicy(select, gate.experts, 'gate.select')
  if (policy.kind === 'cosine-threshold')
    for (const name of ['memory', 'precision', 'anticipation', 'belief', 'clock'] as const)
      if (gate[name])
        throw new FepError(
          'FEP_BAD_CONFIG',
          `gate.${name} is ${show(rest[name])}; accepted with select.kind 'cosine-threshold': none, because its scores are cosines of the token itself`,
        )
  return { gate, policy }
}

/**
 * Parameters in state-dict order: those of the gate, and `W_noise.weight` (E, d), from 0, where noise is learned. With
 * `cosine-threshold` only `expert_prototypes` (E, d), from N(0, 1).
 */
export function sparseGateParams({ gate, policy }: SparseGateModel): readonly ParameterSpec[] {
  const { dim, experts } = gate
  const [weight] = linearSpecs('W_noise', dim, experts, false) as [ParameterSpec]
  if (policy.kind === 'cosine-threshold') return [{ ...weight, name: 'expert_prototypes', kind: 'normal' }]
  const learned = policy.kind === 'token-choice' && policy.noise?.kind === 'learned'
  return [...gateParams(gate), ...(learned ? [{ ...weight, kind: 'values' as const }] : [])]
}

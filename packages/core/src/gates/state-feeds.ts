/** What a gate carries, as tensors: how sequences begin, and the check of what a caller puts in. */
import { FepError } from '../errors.js'
import { countOf } from '../graph/shape.js'
import { type Tensor, zeros } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import { gateStates } from './state.js'

/** Per-sequence state, (B,width) by name; see `gateStates`. Plain tensors; empty for stateless gates. */
export type GateState = Readonly<Record<string, Tensor>>

/** Feeds and results that are state carry this prefix. */
export const STATE = 'state/'

/** State of B sequences before their first token: zeros. */
export const initialGateState = (config: ResolvedGateConfig, batch: number): GateState =>
  Object.fromEntries(gateStates(config).map(({ name, width }) => [name, zeros([batch, width])]))

/** @throws FEP_BAD_FEED unless names, dtypes and shapes are those of the gate's state */
export function checkState(config: ResolvedGateConfig, given: GateState, batch: number): void {
  const specs = gateStates(config)
  for (const { name, width } of specs) {
    const t = given[name]
    const shape = [batch, width]
    const fits = t?.dtype === 'float32' && t.shape.join() === shape.join() && t.data.length === countOf(shape)
    if (!fits) {
      const found = t ? `${t.dtype}(${t.shape.join(', ')})` : 'missing'
      throw new FepError('FEP_BAD_FEED', `state '${name}' is ${found}; expected float32(${shape.join(', ')})`)
    }
  }
  for (const name of Object.keys(given)) {
    if (specs.some((spec) => spec.name === name)) continue
    const known = specs.map((spec) => spec.name).join(', ') || 'no state'
    throw new FepError('FEP_BAD_FEED', `state '${name}' is unknown; this gate has ${known}`)
  }
}

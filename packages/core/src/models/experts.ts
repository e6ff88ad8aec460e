/**
 * Experts with one hidden layer, all of them on every token (the dense layer of paper A, Tables 2, 3 and 6). One product
 * serves the first layers of all experts, one batched product the second.
 */
import * as v from 'valibot'
import { linearSpecs, type ParameterSpec } from '../gates/parameters.js'
import type { Value } from '../graph/builder.js'
import { add, concat, gelu, matmul, relu, reshape } from '../graph/expressions.js'
import type { Dim } from '../graph/types.js'
import { integerFrom } from '../schema.js'

/** What an expert is: Linear(inputs, width), activation, Linear(width, outputs). */
export interface ExpertConfig {
  /** Hidden units, >= 1. Default 4 · inputs. */
  readonly width?: number
  /** Outputs, >= 1. Default: as many as inputs. */
  readonly outputs?: number
  /** Default `relu` in a mixture, `gelu` in a language model. */
  readonly activation?: 'relu' | 'gelu'
}

/** @internal Fields of {@link ExpertConfig} as a schema. */
export const expertEntries = {
  width: v.optional(integerFrom(1)),
  outputs: v.optional(integerFrom(1)),
  activation: v.optional(v.picklist(['relu', 'gelu'])),
}

/** Experts with their sizes; layer i of expert e is named `experts.e.PATH.{0,2}`. */
export interface Experts extends Required<ExpertConfig> {
  readonly inputs: number
  readonly count: number
  /** Between the expert's number and the layer's: `net.` in a mixture (as the script has it), nothing in a language model. */
  readonly path: string
}

const layer = ({ path }: Experts, expert: number, index: 0 | 2) => `experts.${expert}.${path}${index}`

/** Parameters, in state-dict order. */
export function expertParams(experts: Experts): ParameterSpec[] {
  const { count, inputs, width, outputs } = experts
  return Array.from({ length: count }, (_, e) => [
    ...linearSpecs(layer(experts, e, 0), inputs, width),
    ...linearSpecs(layer(experts, e, 2), width, outputs),
  ]).flat()
}

/**
 * What every expert makes of every token.
 * @param x (inputs, N)
 * @returns (E, outputs, N)
 */
export function applyExperts(experts: Experts, params: Readonly<Record<string, Value>>, x: Value): Value {
  const { count, width, outputs, activation } = experts
  const tokens = x.shape[1] as Dim
  const all = (index: 0 | 2, what: 'weight' | 'bias') =>
    concat(
      Array.from({ length: count }, (_, e) => params[`${layer(experts, e, index)}.${what}`] as Value),
      0,
    )
  const first = add(matmul(all(0, 'weight'), x), reshape(all(0, 'bias'), [count * width, 1]))
  const hidden = reshape((activation === 'relu' ? relu : gelu)(first), [count, width, tokens])
  const second = matmul(reshape(all(2, 'weight'), [count, outputs, width]), hidden)
  return add(second, reshape(all(2, 'bias'), [count, outputs, 1]))
}

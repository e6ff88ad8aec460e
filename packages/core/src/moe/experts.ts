/** Experts on rows: each row meets one expert, and rows of one expert lie together. */
import { linearSpecs, type ParameterSpec } from '../gates/parameters.js'
import type { Value } from '../graph/builder.js'
import {
  add,
  concat,
  gather,
  gelu,
  groupedMatMul,
  linear,
  min,
  mul,
  relu,
  reshape,
  silu,
  swapLast,
} from '../graph/expressions.js'
import type { Rows } from './dispatch.js'

/** Activations of an expert. */
export const ACTIVATIONS = ['relu', 'relu-squared', 'gelu', 'silu', 'swiglu'] as const

/** Activation of an expert. */
export type Activation = (typeof ACTIVATIONS)[number]

/** Experts with their sizes. */
export interface RowExperts {
  /** Width of a token, at both ends. */
  readonly dim: number
  readonly count: number
  /** Hidden units. */
  readonly width: number
  readonly activation: Activation
  readonly bias: boolean
}

/** Names of the layers, in state-dict order: torch.nn.Sequential's, and Mixtral's where there are two on the way in. */
const layersOf = ({ activation }: RowExperts) =>
  activation === 'swiglu'
    ? ({ first: 'w1', gated: 'w3', second: 'w2' } as const)
    : ({ first: '0', second: '2' } as const)

const specsOf = (experts: RowExperts, prefix: string): ParameterSpec[] => {
  const { dim, width, bias } = experts
  const { first, gated, second } = { gated: undefined, ...layersOf(experts) }
  return [
    ...linearSpecs(`${prefix}.${first}`, dim, width, bias),
    ...linearSpecs(`${prefix}.${second}`, width, dim, bias),
    ...(gated ? linearSpecs(`${prefix}.${gated}`, dim, width, bias) : []),
  ]
}

/** Parameters `experts.e.LAYER.{weight,bias}`. */
export const rowExpertParams = (experts: RowExperts): ParameterSpec[] =>
  Array.from({ length: experts.count }, (_, e) => specsOf(experts, `experts.${e}`)).flat()

/** Parameters `shared.LAYER.{weight,bias}`. */
export const sharedExpertParams = (experts: RowExperts): ParameterSpec[] => specsOf(experts, 'shared')

/** One linear layer of every expert, on rows or on tokens. */
type Layer = (name: string, x: Value) => Value

function between({ activation }: RowExperts, layer: Layer, x: Value): Value {
  switch (activation) {
    case 'relu':
      return relu(layer('0', x))
    case 'relu-squared': {
      const z = relu(layer('0', x))
      return mul(z, z)
    }
    case 'gelu':
      return gelu(layer('0', x))
    case 'silu':
      return silu(layer('0', x))
    case 'swiglu':
      return mul(silu(layer('w1', x)), layer('w3', x))
  }
}

const apply = (experts: RowExperts, layer: Layer, x: Value): Value =>
  layer(layersOf(experts).second, between(experts, layer, x))

/**
 * What each row's expert makes of it.
 * @param x (R, d)
 * @returns (R, d); rows that belong to no expert hold what nobody reads
 */
export function applyToRows(
  experts: RowExperts,
  params: Readonly<Record<string, Value>>,
  x: Value,
  { offsets, experts: owners }: Pick<Rows, 'offsets' | 'experts'>,
): Value {
  const { count, bias } = experts
  // Weights stay as PyTorch has them, (out, in); joining and transposing them is left to executors, which need not do it.
  const all = (name: string, what: 'weight' | 'bias') =>
    concat(
      Array.from({ length: count }, (_, e) => {
        const one = params[`experts.${e}.${name}.${what}`] as Value
        return reshape(one, [1, ...one.shape])
      }),
      0,
    )
  const layer: Layer = (name, rows) => {
    const product = groupedMatMul(rows, swapLast(all(name, 'weight')), offsets)
    return bias ? add(product, gather(all(name, 'bias'), min(owners, count - 1), 0)) : product
  }
  return apply(experts, layer, x)
}

/**
 * What the shared expert makes of every token.
 * @param x (N, d)
 */
export function applyShared(experts: RowExperts, params: Readonly<Record<string, Value>>, x: Value): Value {
  const of = (name: string, what: 'weight' | 'bias') => params[`shared.${name}.${what}`] as Value
  return apply(
    experts,
    (name, tokens) => linear(tokens, of(name, 'weight'), experts.bias ? of(name, 'bias') : undefined),
    x,
  )
}

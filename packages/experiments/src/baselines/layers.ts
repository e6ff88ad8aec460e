/** Layers of the routers: parameters, state, and what they do, features first. */
import { GraphBuilder, ops, type ParameterSpec, type Value } from '@fep-moe/core'
import type { ResolvedBaseline } from './config.js'

const {
  add,
  concat,
  expand,
  gruCell,
  linearScan,
  matmul,
  mul,
  permute,
  relu,
  reshape,
  scan,
  sigmoid,
  slice,
  sub,
} = ops

/** What a layer takes from one step to the next: (width, steps, B), 0 before the first token. */
export interface LayerState {
  readonly width: number
  readonly steps: number
}

/** A layer of a kind. */
interface Layer {
  /** Parameters by their names in the layer; initialized as PyTorch does it. */
  params(config: ResolvedBaseline, inputs: number): ParameterSpec[]
  state(config: ResolvedBaseline, inputs: number): LayerState
  /** @param x (inputs,T,B) @param before the state @returns (H,T,B), and the state after the last token */
  apply(
    x: Value,
    params: Readonly<Record<string, Value>>,
    before: Value,
    config: ResolvedBaseline,
  ): { readonly y: Value; readonly after: Value }
}

/** A parameter that PyTorch draws from ±1/√fanIn. */
const drawn = (name: string, shape: readonly number[], fanIn: number): ParameterSpec => ({
  name,
  shape,
  fanIn,
  fanOut: shape[0] as number,
  kind: shape.length > 1 ? 'weight' : 'bias',
})

/** W x + b for x (in,T,B). */
export function projected(x: Value, weight: Value, bias: Value): Value {
  const [outputs, inputs] = weight.shape as [number, number]
  const flat = matmul(weight, reshape(x, [inputs, -1]))
  return reshape(add(flat, reshape(bias, [outputs, 1])), [outputs, ...x.shape.slice(1)])
}

const p = (params: Readonly<Record<string, Value>>, name: string): Value => params[name] as Value

const gru: Layer = {
  params: ({ hidden }, inputs) => [
    drawn('weight_ih', [3 * hidden, inputs], hidden),
    drawn('weight_hh', [3 * hidden, hidden], hidden),
    drawn('bias_ih', [3 * hidden], hidden),
    drawn('bias_hh', [3 * hidden], hidden),
  ],
  state: ({ hidden }) => ({ width: hidden, steps: 1 }),
  apply: (x, params, before, { hidden }) => {
    const [inputs] = x.shape as [number]
    const names = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'] as const
    const body = new GraphBuilder('gru')
    const h = body.input('h', 'float32', ['batch', hidden])
    const token = body.input('x', 'float32', ['batch', inputs])
    const [wi, wh, bi, bh] = names.map((name) => body.input(name, 'float32', p(params, name).shape)) as [
      Value,
      Value,
      Value,
      Value,
    ]
    const next = gruCell(token, h, wi, wh, bi, bh)
    body.output('h', next)
    body.output('y', next)
    const { last, ys } = scan(
      body.build(),
      {
        init: [permute(reshape(before, [hidden, 'batch']))],
        xs: [permute(x, [1, 2, 0])],
        consts: names.map((name) => p(params, name)),
      },
      { axis: 0, batchAxis: 0 },
    )
    return {
      y: permute(ys[0] as Value, [2, 0, 1]),
      after: reshape(permute(last[0] as Value), [hidden, 1, 'batch']),
    }
  },
}

const minGru: Layer = {
  params: ({ hidden }, inputs) =>
    ['z', 'h'].flatMap((name) => [
      drawn(`to_${name}.weight`, [hidden, inputs], inputs),
      drawn(`to_${name}.bias`, [hidden], inputs),
    ]),
  state: ({ hidden }) => ({ width: hidden, steps: 1 }),
  apply: (x, params, before) => {
    const z = sigmoid(projected(x, p(params, 'to_z.weight'), p(params, 'to_z.bias')))
    const fresh = projected(x, p(params, 'to_h.weight'), p(params, 'to_h.bias'))
    const { h, last } = linearScan(sub(1, z), mul(z, fresh), before, { axis: 1 })
    return { y: h, after: last }
  },
}

const convolution: Layer = {
  params: ({ hidden, kernel }, inputs) => [
    drawn('weight', [hidden, inputs, kernel], inputs * kernel),
    drawn('bias', [hidden], inputs * kernel),
  ],
  state: ({ kernel }, inputs) => ({ width: inputs, steps: kernel - 1 }),
  apply: (x, params, before, { hidden, kernel }) => {
    const [inputs, steps] = x.shape as [number, number]
    const all = kernel > 1 ? concat([before, x], 1) : x
    // One product of all taps at once, the earliest first, as torch.nn.Conv1d orders them.
    const taps = Array.from({ length: kernel }, (_, tap) => slice(all, 1, tap, tap + steps))
    const weight = reshape(permute(p(params, 'weight'), [0, 2, 1]), [hidden, kernel * inputs])
    return {
      y: relu(projected(concat(taps, 0), weight, p(params, 'bias'))),
      after: slice(all, 1, steps, steps + kernel - 1),
    }
  },
}

/** By kind. */
export const layerOf: Readonly<Record<ResolvedBaseline['kind'], Layer>> = {
  gru,
  'min-gru': minGru,
  convolution,
}

/** A state before the first token. */
export const zeroState = (builder: GraphBuilder, { width, steps }: LayerState): Value =>
  expand(builder.constant(0), [width, steps, 'batch'])

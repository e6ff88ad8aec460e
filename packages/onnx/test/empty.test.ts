/** Values without elements. ONNX Runtime ends the process on some of them, and gets the shape of others wrong. */
import { type Backend, type Graph, GraphBuilder, ops, referenceBackend, type Value } from '@fep-moe/core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { onnxBackend } from '../src/index.js'
import { expectAgreement } from './agreement.js'

let onnx: Backend
let reference: Backend

beforeAll(async () => {
  onnx = await onnxBackend()
  reference = await referenceBackend({ precision: 'float64' })
})
afterAll(() => onnx.dispose())

type Input = (...shape: (number | 'batch')[]) => Value

const CASES: Readonly<Record<string, (input: Input, builder: GraphBuilder) => Record<string, Value>>> = {
  'TopK without rows': (input) => {
    const { values, indices } = ops.topk(input(0, 4), 2, 1)
    return { values, indices }
  },
  'ArgMax without rows': (input) => ({ y: ops.argmax(input(0, 4), 1) }),
  'LinearScan without lanes': (input) => {
    const { h, last } = ops.linearScan(input(0, 2), input(0, 2), input(1, 1), { axis: 1 })
    return { h, last }
  },
  'LinearScan without columns': (input) => {
    const { h, last } = ops.linearScan(input(2, 1), input(2, 0), input(1, 1), { axis: 0 })
    return { h, last }
  },
  'a long Scan without lanes': (input) => {
    const body = new GraphBuilder('body')
    const [state, x] = [body.input('state', 'float32', [0]), body.input('x', 'float32', [0])]
    body.output('next', ops.add(ops.mul(state, 0.5), x))
    body.output('y', state)
    const { last, ys } = ops.scan(body.build(), { init: [input(0)], xs: [input(18, 0)] }, { axis: 0 })
    return { last: last[0] as Value, ys: ys[0] as Value }
  },
  'an Expand to 0, padded': (input) => ({ y: ops.pad(ops.expand(input(1), [0]), 0, 2, 0) }),
  'a constant Expand to 0, padded': (_input, builder) => ({
    y: ops.pad(ops.neg(ops.expand(ops.reshape(builder.constant([1, 2], [2]), [2, 1]), [2, 0])), 1, 2, 0),
  }),
  'an Expand to 0 beside the batch': (input) => ({ y: ops.expand(input('batch', 1), ['batch', 0]) }),
  'a product that broadcasts against 0': (input) => ({ y: ops.matmul(input('batch', 1), input(0, 1, 1)) }),
  'a product over nothing, and a bias': (input) => ({
    y: ops.linear(ops.slice(input(1, 1, 1), 2, 0, 0), input(1, 0), input(1)),
  }),
  'a product without columns, and a bias': (input) => ({
    y: ops.linear(ops.linear(input(1, 1, 1), input(0, 1), input(0)), input(0, 0)),
  }),
}

function build(name: string): Graph {
  const builder = new GraphBuilder(name)
  let count = 0
  const input: Input = (...shape) => builder.input(`x${count++}`, 'float32', shape)
  const outputs = (CASES[name] as (typeof CASES)[string])(input, builder)
  for (const [key, value] of Object.entries(outputs)) builder.output(key, value)
  return builder.build()
}

describe('values without elements', () => {
  it.each(Object.keys(CASES))('%s', async (name) => {
    const graph = build(name)
    const feeds = Object.fromEntries(
      graph.inputs.map((input) => {
        const shape = (graph.values[input]?.shape ?? []).map((d) => (typeof d === 'number' ? d : 3))
        const data = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => i / 4 - 0.5)
        return [input, { dtype: 'float32' as const, shape, data }]
      }),
    )
    const program = await onnx.compile(graph)
    await expectAgreement(program, reference, graph, feeds, 1e-6)
    program.dispose()
  })
})

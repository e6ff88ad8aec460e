import { fromBinary } from '@bufbuild/protobuf'
import { createGate, type Graph, GraphBuilder, gradients, ops } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { toOnnx } from '../src/index.js'
import { type GraphProto, ModelProtoSchema } from '../src/proto/onnx_pb.js'

const parse = (graph: Graph, options = {}) => fromBinary(ModelProtoSchema, toOnnx(graph, options))

/** One line per node, nested graphs indented. */
function nodesOf(graph: GraphProto | undefined, indent = ''): string[] {
  return (graph?.node ?? []).flatMap((node) => [
    `${indent}${node.name}: ${node.output.join(', ')} = ${node.opType}(${node.input.join(', ')})`,
    ...node.attribute.flatMap((a) => (a.g ? nodesOf(a.g, `${indent}  `) : [])),
  ])
}

function leaky(steps: number): Graph {
  const b = new GraphBuilder('leaky')
  const x = b.input('x', 'float32', [4, steps, 'batch'])
  const raw = b.input('beta', 'float32', [4])
  b.scope('memory', () => {
    const beta = ops.reshape(ops.sigmoid(raw), [4, 1, 1]).named('beta')
    b.output('h', ops.linearScan(beta, x, 0, { axis: 1 }).h.named('h'))
  })
  return b.build()
}

describe('a model', () => {
  it('names opset 21, IR 10 and the standard domain', () => {
    const model = parse(leaky(6))
    expect([model.irVersion, model.producerName]).toEqual([10n, 'fep-moe'])
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 21n]])
  })
  it('carries the names of the graph', () => {
    expect(nodesOf(parse(leaky(6)).graph)).toMatchSnapshot()
    expect(nodesOf(parse(leaky(100), { batchHint: 512 }).graph)).toMatchSnapshot()
  })
  it('cuts the inner dimension of products of many rows that lie 4096 bytes apart, and only of those', () => {
    /** Products that add to another one. Literals of a parameter's size are typed arrays, as they are where parameters are bound. */
    const sums = (rows: number, hidden: number) => {
      const b = new GraphBuilder('experts')
      const weights = (shape: readonly number[]) =>
        b.constant(new Array<number>(16 * hidden).fill(0.5), shape)
      const offsets = b.input('offsets', 'int32', [3])
      const first = ops.groupedMatMul(b.input('x', 'float32', [rows, 8]), weights([2, 8, hidden]), offsets)
      b.output('y', ops.groupedMatMul(ops.relu(first), weights([2, hidden, 8]), offsets))
      const graph = b.build()
      const nodes = graph.nodes.map((node) =>
        node.op === 'Constant'
          ? { ...node, attrs: { ...node.attrs, data: Float32Array.from(node.attrs.data as number[]) } }
          : node,
      )
      const lines = nodesOf(parse({ ...graph, nodes } as Graph).graph)
      return lines.filter((line) => / = Gemm\(.*, .*, /.test(line)).length
    }
    expect([sums(1024, 1024), sums(1024, 2048), sums(1024, 1040), sums(256, 4096)]).toEqual([2, 2, 0, 0])
  })
  it('reads well for a gate', () => {
    const gate = createGate({
      dim: 4,
      experts: 2,
      memory: { kind: 'leaky' },
      anticipation: { kind: 'additive' },
    })
    const nodes = nodesOf(parse(gate.graph({ steps: 3 })).graph).map((line) =>
      line.slice(0, line.indexOf(':')),
    )
    expect(nodes).toContain('memory/h')
    expect(nodes.some((name) => name.startsWith('anticipation/'))).toBe(true)
  })
  it('keeps the batch symbolic, and its multiples', () => {
    const b = new GraphBuilder('flat')
    b.output('y', ops.reshape(b.input('x', 'float32', ['batch', 12]), [-1]))
    const graph = parse(b.build()).graph
    const dims = (list: GraphProto['input'] | undefined) =>
      list?.map(({ type }) =>
        type?.value.case === 'tensorType' ? type.value.value.shape?.dim.map((d) => d.value.value) : undefined,
      )
    expect(dims(graph?.input)).toEqual([['batch', 12n]])
    expect(dims(graph?.output)).toEqual([['12*batch']])
  })
  it('is the same bytes every time', () => {
    expect(toOnnx(leaky(6))).toEqual(toOnnx(leaky(6)))
  })
  it('drops what no output needs', () => {
    const b = new GraphBuilder('dead')
    const x = b.input('x', 'float32', [2])
    ops.exp(x)
    b.output('y', ops.neg(x))
    expect(nodesOf(parse(b.build()).graph)).toEqual(['Neg: y = Neg(x)'])
  })
  it('shares decay powers between a recurrence and its adjoint', () => {
    const b = new GraphBuilder('train')
    const x = b.input('x', 'float32', [4, 6, 'batch'])
    const a = b.input('a', 'float32', [4, 1, 1])
    const { h } = ops.linearScan(a, x, 0, { axis: 1 })
    b.output('loss', ops.sum(ops.mul(h, h)))
    const nodes = nodesOf(parse(gradients(b.build(), { of: 'loss', wrt: ['x', 'a'] })).graph)
    expect(nodes.filter((line) => line.includes('= Pow('))).toHaveLength(1)
    expect(nodes.filter((line) => line.includes('= MatMul('))).toHaveLength(2)
  })
  it('refuses bad options', () => {
    for (const options of [{ batchHint: 0 }, { threads: 1.5 }])
      expect(() => toOnnx(leaky(6), options)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
  })
})

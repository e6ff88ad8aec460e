/**
 * The sparse layer against ONNX Runtime's own operator for such layers (com.microsoft.MoE, version 1), which shares no code with
 * it. The operator takes the softmax of logits that it is fed, the k best of each row, and normalizes on demand.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { type Params, random, type Tensor, tensor } from '@fep-moe/core'
import { createMoeLayer, type MoeLayer } from '@fep-moe/core/moe'
import { onnxBackend } from '@fep-moe/onnx'
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { attribute, valueInfo } from '../src/emit/protobuf.js'
import { ModelProtoSchema } from '../src/proto/onnx_pb.js'

interface Case {
  readonly tokens: number
  readonly dim: number
  readonly experts: number
  readonly width: number
  readonly k: number
  readonly activation: 'relu' | 'silu'
  readonly normalize: boolean
}

const CASES: readonly Case[] = [
  { tokens: 40, dim: 6, experts: 5, width: 7, k: 1, activation: 'relu', normalize: false },
  { tokens: 40, dim: 6, experts: 5, width: 7, k: 2, activation: 'silu', normalize: true },
  { tokens: 40, dim: 6, experts: 5, width: 7, k: 3, activation: 'relu', normalize: true },
  // Large enough for products, activations and weights expert by expert.
  { tokens: 1024, dim: 16, experts: 8, width: 520, k: 2, activation: 'silu', normalize: false },
]

const DOMAIN = 'com.microsoft'

/** A model of one node. */
function operatorModel({ tokens, dim, experts, width, k, activation, normalize }: Case): Uint8Array {
  const f32 = (name: string, shape: readonly number[]) => valueInfo(name, { dtype: 'float32', shape })
  const text = new TextEncoder()
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: 21n },
      { domain: DOMAIN, version: 1n },
    ],
    graph: {
      name: 'moe',
      node: [
        {
          opType: 'MoE',
          input: ['x', 'logits', 'w1', 'b1', 'w2', 'b2'],
          output: ['y'],
          attribute: [
            attribute('k', k),
            attribute('normalize_routing_weights', normalize ? 1 : 0),
            attribute('activation_type', activation),
          ],
        },
      ],
      input: [
        f32('x', [tokens, dim]),
        f32('logits', [tokens, experts]),
        f32('w1', [experts, width, dim]),
        f32('b1', [experts, width]),
        f32('w2', [experts, dim, width]),
        f32('b2', [experts, dim]),
      ],
      output: [f32('y', [tokens, dim])],
    },
  })
  // Our messages have no domain of nodes, because our models use the standard one: field 7.
  const domain = text.encode(DOMAIN)
  const node = model.graph?.node[0] as { $unknown?: unknown[] }
  node.$unknown = [{ no: 7, wireType: 2, data: Uint8Array.of(domain.length, ...domain) }]
  return toBinary(ModelProtoSchema, model)
}

async function byOperator(one: Case, layer: MoeLayer, params: Params, x: Tensor, logits: Tensor) {
  const session = await InferenceSession.create(operatorModel(one), { logSeverityLevel: 4 })
  const stacked = (name: string, shape: readonly number[]) =>
    new RuntimeTensor(
      'float32',
      Float32Array.from(
        Array.from({ length: layer.experts.count }, (_, e) => [
          ...(params[`experts.${e}.${name}`] as Tensor).data,
        ]).flat(),
      ),
      [layer.experts.count, ...shape],
    )
  const { tokens, dim, experts, width } = one
  const { y } = await session.run({
    x: new RuntimeTensor('float32', x.data as Float32Array, [tokens, dim]),
    logits: new RuntimeTensor('float32', logits.data as Float32Array, [tokens, experts]),
    w1: stacked('0.weight', [width, dim]),
    b1: stacked('0.bias', [width]),
    w2: stacked('2.weight', [dim, width]),
    b2: stacked('2.bias', [dim]),
  })
  await session.release()
  return y?.data as Float32Array
}

describe.each(CASES)(
  'top-$k of $experts experts, $tokens tokens, $activation, normalized $normalize',
  (one) => {
    it.each(['fed', 'opened'])('gives what the operator gives, parameters %s', async (how) => {
      const { tokens, dim, experts, width, k, activation, normalize } = one
      const backend = await onnxBackend({ smallPrograms: 'native' })
      const layer = createMoeLayer({
        dim,
        experts,
        router: { select: { kind: 'token-choice', k, normalize } },
        expert: { width, activation, bias: true },
        residual: false,
      })
      const params = layer.init({ seed: 21 })
      const x = tensor(new Float32Array(tokens * dim), [1, tokens, dim])
      random(22, 'tokens').fillNormal(x.data as Float32Array)
      const { y, logits, margin } = await layer.run(backend, params, {}, x, { details: true })
      // The operator resolves equal logits in its own way: there are none.
      expect(Math.min(...margin.data)).toBeGreaterThan(0)
      const opened = await layer.open(backend, params, {})
      const got = how === 'fed' ? y : (await opened.run(x)).y
      const want = await byOperator(one, layer, params, x, logits)
      const largest = Math.max(...Array.from(want, Math.abs))
      const worst = Math.max(...Array.from(want, (v, i) => Math.abs(v - (got.data[i] as number))))
      expect(worst).toBeLessThan(1e-5 * largest)
      await opened.dispose()
      await layer.release(backend)
      await backend.dispose()
    })
  },
)

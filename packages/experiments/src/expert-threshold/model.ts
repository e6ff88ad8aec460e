/**
 * A byte-level language model around a sparse layer: embeddings of the last W bytes side by side, one linear layer, LayerNorm,
 * the sparse layer with a residual, LayerNorm, head. A prediction sees its window and nothing else, so what makes it depend on
 * another token can only be the policy.
 */
import {
  type Backend,
  type Feed,
  type Graph,
  GraphBuilder,
  importGraph,
  initialize,
  linearSpecs,
  ops,
  optimize,
  type ParameterSpec,
  type Params,
  type Program,
  random,
  type Shape,
  type Tensor,
  takeAll,
  type Value,
} from '@fep-moe/core'
import {
  createMoeLayer,
  type MoeLayer,
  type MoeLayerConfig,
  type MoeLayerForm,
  moeLayerGraph,
  moeLayerParams,
  PAPER_B_INIT,
  rowBound,
  rungFor,
} from '@fep-moe/core/moe'
import { frozenFeeds, type PolicyState } from '@fep-moe/core/policies'
import type { ExpertThresholdSettings } from './settings.js'
import type { TextBatch } from './stream.js'

/** Values of a byte. */
const VOCABULARY = 256

/** Sizes of the model. */
export type ByteModelSizes = Pick<ExpertThresholdSettings, 'window' | 'embedding' | 'dim'>

/** What a batch came to. Host tensors. */
export interface ByteModelResult {
  /** −log p of each byte, in nats (B,T). */
  readonly tokenLoss: Tensor
  /** 1 where an expert takes the token (B,T,E). */
  readonly mask: Tensor
  /** Of the router (B,T,E). */
  readonly logits: Tensor
  /** Tokens of each expert (E). */
  readonly load: Tensor
}

/** A model. Parameters and the policy's state are the caller's. */
export interface ByteModel {
  readonly layer: MoeLayer
  readonly params: readonly ParameterSpec[]
  /** Embeddings N(0, 1), LayerNorm 1 and 0, the layer as paper B draws it, the rest as PyTorch does. */
  init(seed: number): Params
  /** The training form: `loss`, `task` (without router losses), `load`, `policy/NAME`, `clamped` (E) where there is any. */
  lossGraph(form: Pick<MoeLayerForm, 'batch' | 'steps' | 'rows'>): Graph
  /** Scores a batch without an update. */
  run(backend: Backend, params: Params, state: PolicyState, batch: TextBatch): Promise<ByteModelResult>
  /** Disposes the programs of a backend. */
  release(backend: Backend): Promise<void>
}

const own = ({ window, embedding, dim }: ByteModelSizes): ParameterSpec[] => {
  const norm = (name: string): ParameterSpec[] => {
    const [weight, bias] = linearSpecs(name, dim, dim) as [ParameterSpec, ParameterSpec]
    const values = (x: number) => ({ kind: 'values' as const, shape: [dim], values: Array(dim).fill(x) })
    return [
      { ...weight, ...values(1) },
      { ...bias, ...values(0) },
    ]
  }
  const [table] = linearSpecs('embed', embedding, VOCABULARY, false) as [ParameterSpec]
  return [
    { ...table, kind: 'normal' },
    ...linearSpecs('mix', window * embedding, dim),
    ...norm('norm'),
    ...norm('out'),
    ...linearSpecs('head', dim, VOCABULARY),
  ]
}

/** Makes a model. @throws FEP_BAD_CONFIG */
export function createByteModel(sizes: ByteModelSizes, config: MoeLayerConfig): ByteModel {
  const layer = createMoeLayer(config)
  const ownParams = own(sizes)
  const layerParams = moeLayerParams(layer)
  const { window, dim, embedding } = sizes

  /** Losses of tokens (N), and what the layer returned. */
  const emit = (builder: GraphBuilder, form: MoeLayerForm) => {
    const { batch, steps } = form
    const count = batch * steps
    const x = builder.input('x', 'int32', [batch, steps + window - 1])
    const y = builder.input('y', 'int32', [batch, steps])
    const params = Object.fromEntries(
      ownParams.map(({ name, shape }) => [name, builder.input(name, 'float32', shape)]),
    )
    const p = (name: string) => params[name] as Value
    const context = builder.scope('embed', () => {
      const embedded = ops.reshape(ops.gather(p('embed.weight'), ops.reshape(x, [-1])), [
        ...x.shape,
        embedding,
      ])
      const shifted = Array.from({ length: window }, (_, j) => ops.slice(embedded, 1, j, j + steps))
      return ops.reshape(ops.concat(shifted, 2), [count, window * embedding])
    })
    const mixed = ops.linear(context, p('mix.weight'), p('mix.bias'))
    const tokens = ops.layerNorm(mixed, p('norm.weight'), p('norm.bias'))
    const routed = builder.scope('moe', () => {
      const graph = moeLayerGraph(layer, form)
      const bindings = Object.fromEntries(
        graph.inputs.map((name) => {
          const { dtype, shape } = graph.values[name] as { dtype: Tensor['dtype']; shape: Shape }
          const value =
            name === 'x' ? ops.reshape(tokens, [batch, steps, dim]) : builder.input(name, dtype, shape)
          return [name, value]
        }),
      )
      const values = importGraph(builder, graph, bindings)
      return new Map(graph.outputs.map((o) => [o.name, values.get(o.value) as Value]))
    })
    const last = ops.add(mixed, ops.reshape(routed.get('y') as Value, [count, dim]))
    const logits = ops.linear(
      ops.layerNorm(last, p('out.weight'), p('out.bias')),
      p('head.weight'),
      p('head.bias'),
    )
    return { rows: ops.crossEntropyRows(logits, ops.reshape(y, [count])), routed }
  }

  const lossGraph: ByteModel['lossGraph'] = (form) => {
    const builder = new GraphBuilder('byte-model/training')
    const { rows, routed } = emit(builder, { ...form, training: true })
    const task = ops.mean(rows)
    const penalty = routed.get('penalty')
    builder.output('loss', penalty ? ops.add(task, penalty) : task)
    builder.output('task', task)
    for (const [name, value] of routed)
      if (name === 'load' || name === 'clamped' || name.startsWith('policy/')) builder.output(name, value)
    return builder.build()
  }

  const scoringGraph = (form: MoeLayerForm): Graph => {
    const builder = new GraphBuilder('byte-model')
    const { rows, routed } = emit(builder, { ...form, details: true })
    builder.output('tokenLoss', ops.reshape(rows, [form.batch, form.steps]))
    for (const name of ['mask', 'logits', 'load']) builder.output(name, routed.get(name) as Value)
    return optimize(builder.build())
  }
  const programs = new Map<Backend, Map<string, Promise<Program>>>()
  /** Rows that the batches of a form have needed so far. */
  const rungs = new Map<string, number>()
  const programOf = (backend: Backend, form: MoeLayerForm) => {
    const known = programs.get(backend) ?? new Map<string, Promise<Program>>()
    programs.set(backend, known)
    const key = JSON.stringify(form)
    const program = known.get(key) ?? backend.compile(scoringGraph(form))
    known.set(key, program)
    return program
  }

  return {
    layer,
    params: [...ownParams, ...layerParams],
    init: (seed) => ({
      ...initialize(ownParams, { seed }, (path, out) => random(seed, path).fillNormal(out)),
      ...layer.init({ seed, scheme: PAPER_B_INIT }),
    }),
    lossGraph,
    run: async (backend, params, state, { x, y }) => {
      const [batch, steps] = y.shape as [number, number]
      const bound = rowBound(layer.policy, { batch, steps, training: false })
      const feeds: Record<string, Feed> = { ...params, ...frozenFeeds(layer.policy, state), x, y }
      const size = `${batch}/${steps}`
      for (;;) {
        const rows =
          bound.kind === 'open' ? (rungs.get(size) ?? rungFor(bound.expected, bound.most)) : undefined
        const program = await programOf(backend, { batch, steps, rows })
        const found = (await takeAll(await program.run(feeds))) as unknown as ByteModelResult
        if (bound.kind !== 'open' || rows === undefined) return found
        const pairs = Array.from(found.load.data).reduce((sum, n) => sum + n, 0)
        if (pairs <= rows) return found
        rungs.set(size, rungFor(pairs, bound.most))
      }
    },
    release: async (backend) => {
      const known = programs.get(backend)
      programs.delete(backend)
      for (const program of known?.values() ?? []) (await program).dispose()
    },
  }
}

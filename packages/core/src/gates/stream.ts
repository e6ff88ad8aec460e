/** The streaming form: one token per sequence at a time, membrane in, membrane out. */
import type { Backend, DeviceTensor, Feed, Feeds } from '../backend/contract.js'
import { toHost } from '../backend/host-tensor.js'
import { FepError, show } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { type Tensor, zeros } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import { checkTokens, precisionFeed } from './edge.js'
import type { Params } from './parameters.js'
import type { PrecisionState } from './precision.js'

/** Per-sequence state of a gate: `memory` (B,d) where there is one. Plain tensors; empty for stateless gates. */
export type GateState = Readonly<Record<string, Tensor>>

/** A running gate over a batch of sequences. Not shared between callers: steps are taken in call order. */
export interface GateStream<R> {
  /**
   * Takes one token per sequence.
   * @param token (B,d) float32
   * @returns as `route`, without the time axis: weights (B,E), indices (B,k), margin (B), logits (B,E), next (B,E)
   * @throws FEP_BAD_FEED, FEP_DISPOSED
   */
  step(token: Tensor, options?: { readonly precision?: Tensor | PrecisionState }): Promise<R>
  /** Copies the state out. */
  snapshot(): Promise<GateState>
  /** Puts a state in, or the initial one. @throws FEP_BAD_FEED */
  restore(state?: GateState): void
  /** Starts some rows (default: all) afresh, as a new document would. */
  reset(rows?: readonly number[]): Promise<void>
  dispose(): void
  [Symbol.dispose](): void
}

/** @internal */
export async function openStream<R>(setup: {
  backend: Backend
  config: ResolvedGateConfig
  horizon: 0 | 1
  graph: Graph
  params: Params
  batch: number
}): Promise<GateStream<R>> {
  const { backend, config, horizon, graph, params, batch } = setup
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new FepError('FEP_BAD_ARGUMENT', `stream: batch is ${show(batch)}; accepted: an integer >= 1`)
  const program = await backend.compile(graph)
  const shapes: Readonly<Record<string, readonly number[]>> = config.memory
    ? { memory: [batch, config.dim] }
    : {}
  const initial = (): Record<string, Feed> =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros(shape)]))
  const state = initial()
  let disposed = false
  // Steps queue here: the second of two concurrent calls must see the state that the first one leaves.
  let tail: Promise<unknown> = Promise.resolve()
  const enqueue = <T>(body: () => Promise<T>): Promise<T> => {
    const result = tail.then(body)
    tail = result.catch(() => undefined)
    return result
  }
  const replace = (name: string, next: Feed) => {
    const old = state[name]
    state[name] = next
    if (old && 'dispose' in old) (old as DeviceTensor).dispose()
  }
  const advance = async (token: Tensor, precision: Tensor | PrecisionState | undefined): Promise<R> => {
    const feeds: Record<string, Feed> = {
      ...params,
      x: { ...token, shape: [batch, 1, config.dim] },
      ...precisionFeed(config, precision),
    }
    for (const [name, value] of Object.entries(state)) feeds[`state/${name}`] = value
    const fetched = await program.run(feeds as Feeds)
    const result: Record<string, unknown> = { horizon }
    for (const [name, t] of Object.entries(fetched)) {
      if (name.startsWith('state/')) {
        replace(name.slice('state/'.length), t)
        continue
      }
      const host = await toHost(t)
      // (B,1,f) → (B,f); margin is (B,1) → (B).
      result[name] = { ...host, shape: host.shape.filter((_, i) => i !== 1) }
      t.dispose()
    }
    return result as R
  }
  const dispose = () => {
    disposed = true
    for (const name of Object.keys(state)) replace(name, zeros([0]))
    program.dispose()
  }
  return {
    step: async (token, options = {}) => {
      if (disposed) throw new FepError('FEP_DISPOSED', 'this stream was disposed; open a new one')
      checkTokens(token, config.dim, 2)
      if (token.shape[0] !== batch)
        throw new FepError(
          'FEP_BAD_FEED',
          `token has batch ${token.shape[0]}; the stream was opened with ${batch}`,
        )
      return enqueue(() => advance(token, options.precision))
    },
    snapshot: () =>
      enqueue(async () =>
        Object.fromEntries(
          await Promise.all(
            Object.entries(state).map(async ([name, t]) => [name, copyOf(await toHost(t))] as const),
          ),
        ),
      ),
    restore: (given) => {
      if (!given) {
        void enqueue(async () => Object.entries(initial()).forEach(([name, t]) => replace(name, t)))
        return
      }
      for (const [name, shape] of Object.entries(shapes)) {
        const t = given[name]
        if (
          t?.dtype !== 'float32' ||
          t.shape.join() !== shape.join() ||
          t.data.length !== batch * config.dim
        ) {
          throw new FepError(
            'FEP_BAD_FEED',
            `state '${name}' is ${t ? `${t.dtype}(${t.shape.join(', ')})` : 'missing'}; expected float32(${shape.join(', ')})`,
          )
        }
      }
      for (const name of Object.keys(given))
        if (!(name in shapes))
          throw new FepError(
            'FEP_BAD_FEED',
            `state '${name}' is unknown; this gate has ${Object.keys(shapes).join(', ') || 'no state'}`,
          )
      const copies = Object.entries(given).map(([name, t]) => [name, copyOf(t)] as const)
      void enqueue(async () => copies.forEach(([name, t]) => replace(name, t)))
    },
    reset: (rows) => {
      for (const row of rows ?? [])
        if (!Number.isInteger(row) || row < 0 || row >= batch)
          throw new FepError('FEP_BAD_ARGUMENT', `reset: row ${show(row)} is outside 0..${batch - 1}`)
      return enqueue(async () => {
        for (const [name, t] of Object.entries(state)) {
          const host = copyOf(await toHost(t))
          const width = host.data.length / batch
          for (const row of rows ?? Array.from({ length: batch }, (_, i) => i))
            host.data.fill(0, row * width, (row + 1) * width)
          replace(name, host)
        }
      })
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

const copyOf = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() as Tensor['data'] })

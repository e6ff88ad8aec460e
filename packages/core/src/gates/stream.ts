/** The streaming form: one token per sequence at a time, membrane in, membrane out. */
import type { Backend, Feed, Feeds, Program } from '../backend/contract.js'
import { HeldTensors } from '../backend/held-tensors.js'
import { toHost } from '../backend/host-tensor.js'
import { serialQueue } from '../backend/queue.js'
import { FepError, show } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { DType, Graph } from '../graph/types.js'
import { bindBatch } from '../passes/bind-batch.js'
import { allocate, type Tensor } from '../tensor.js'
import { bindParameters } from './bind-parameters.js'
import type { ResolvedGateConfig } from './config.js'
import { checkTokens, precisionFeed } from './edge.js'
import type { Params } from './parameters.js'
import type { PrecisionState } from './precision.js'
import { gateStates } from './state.js'
import { checkState, type GateState, initialGateState, STATE } from './state-feeds.js'

/** What a step is told beside the token. */
export interface StepOptions {
  /** Π (E) or (B,E), or a tracker's state. */
  readonly precision?: Tensor | PrecisionState
  /** (B,E): errors of experts that became known since the last step, −1 where none did; where the gate tracks precision. */
  readonly feedback?: Tensor
}

/** A running gate over a batch of sequences. Not shared between callers: steps are taken in call order. */
export interface GateStream<R> {
  /**
   * Takes one token per sequence.
   * @param token (B,d) float32
   * @returns as `route`, without the time axis: weights (B,E), indices (B,k), margin (B), logits (B,E), next (B,E)
   * @throws FEP_BAD_FEED, FEP_DISPOSED
   */
  step(token: Tensor, options?: StepOptions): Promise<R>
  /** Copies the state out. */
  snapshot(): Promise<GateState>
  /** Puts a state in, or the initial one. @throws FEP_BAD_FEED */
  restore(state?: GateState): void
  /** Starts some rows (default: all) afresh, as a new document would. */
  reset(rows?: readonly number[]): Promise<void>
  /** Frees the program and the state. Idempotent. */
  dispose(): void
  /** Disposes, for `using`. */
  [Symbol.dispose](): void
}

/** @internal */
export async function openStream<R>(setup: {
  backend: Backend
  config: ResolvedGateConfig
  /** Put on every result, where there is one to tell. */
  horizon?: 0 | 1
  graph: Graph
  params: Params
  batch: number
  /** Most elements of parameters that become part of the program. Default: as `bindParameters` has it. */
  largest?: number
  /** What a token is, where it is not (B,d) float32: the feed's shape with an axis for time, and a check. */
  token?: { readonly shape: readonly number[]; check(token: Tensor): void }
}): Promise<GateStream<R>> {
  const { backend, config, horizon, params, batch } = setup
  if (!Number.isSafeInteger(batch) || batch < 1)
    throw new FepError('FEP_BAD_ARGUMENT', `stream: batch is ${show(batch)}; accepted: an integer >= 1`)
  const bound = await bindParameters(backend, bindBatch(setup.graph, batch), params, setup.largest)
  const program = await backend.compile(bound.graph)
  const initial = () => initialGateState(config, batch)
  const state = new HeldTensors(initial())
  const pi = ({ precision, feedback }: StepOptions): Readonly<Record<string, Tensor>> => {
    const feeds = precisionFeed(config, precision, [batch, 1], 'batch-major', feedback)
    // (B,E) in a step: the graph has an axis for time.
    for (const [name, feed] of Object.entries(feeds))
      if (feed.shape.length === 2) feeds[name] = { ...feed, shape: [batch, 1, config.experts] }
    return feeds
  }
  const fixed = { ...bound.feeds, ...pi({}) }
  const stateFeeds = gateStates(config).map(({ name }) => ({ name, feed: STATE + name }))
  const tokenShape = setup.token?.shape ?? [batch, 1, config.dim]
  const check = setup.token?.check ?? ((token: Tensor) => checkTokens(token, config.dim, 2))
  const feedsOf = (token: Tensor, options: StepOptions): Feeds => {
    const feeds: Record<string, Feed> = { ...fixed }
    feeds.x = { dtype: token.dtype, shape: tokenShape, data: token.data } as Tensor
    if (options.precision || options.feedback) Object.assign(feeds, pi(options))
    stateFeeds.forEach(({ name, feed }) => {
      feeds[feed] = state.get(name) as Feed
    })
    return feeds
  }
  const advance = program.sync
    ? advanceInPlace(program, backend, bound.graph, state)
    : advanceByRun(program, state)
  const complete = (results: Results): R => {
    if (horizon !== undefined) results.horizon = horizon
    return results as R
  }
  const step = (token: Tensor, options: StepOptions): R | Promise<R> => {
    const results = advance(feedsOf(token, options))
    return results instanceof Promise ? results.then(complete) : complete(results)
  }
  const queue = serialQueue()
  let disposed = false
  const put = (tensors: Readonly<Record<string, Feed>>) =>
    queue(async () => {
      for (const [name, t] of Object.entries(tensors)) state.set(name, t)
    })
  const dispose = () => {
    if (disposed) return
    disposed = true
    void queue(async () => {
      state.clear()
      bound.dispose()
    })
    program.dispose()
  }
  const use = () => {
    if (disposed) throw new FepError('FEP_DISPOSED', 'this stream was disposed; open a new one')
  }
  return {
    step: async (token, options = {}) => {
      use()
      check(token)
      if (token.shape[0] !== batch) {
        throw new FepError(
          'FEP_BAD_FEED',
          `token has batch ${token.shape[0]}; the stream was opened with ${batch}`,
        )
      }
      // The second of two concurrent steps must see the state that the first one leaves. One that is over when it
      // returns need not wait for its turn where nothing is before it: promises would take as long as a small gate.
      if (program.sync && queue.isIdle) return step(token, options)
      return queue(async () => step(token, options))
    },
    snapshot: async () => {
      use()
      return queue(async () => {
        const copies = state.entries().map(async ([name, t]) => [name, copyOf(await toHost(t))] as const)
        return Object.fromEntries(await Promise.all(copies))
      })
    },
    restore: (given) => {
      use()
      if (given) checkState(config, given, batch)
      const copies = given && Object.entries(given).map(([name, t]) => [name, copyOf(t)] as const)
      void put(copies ? Object.fromEntries(copies) : initial())
    },
    reset: async (rows = Array.from({ length: batch }, (_, i) => i)) => {
      use()
      for (const row of rows) {
        if (!Number.isInteger(row) || row < 0 || row >= batch) {
          throw new FepError('FEP_BAD_ARGUMENT', `reset: row ${show(row)} is outside 0..${batch - 1}`)
        }
      }
      return queue(async () => {
        for (const [name, t] of state.entries()) {
          const host = copyOf(await toHost(t))
          const width = host.data.length / batch
          for (const row of rows) host.data.fill(0, row * width, (row + 1) * width)
          state.set(name, host)
        }
      })
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

/** (B,1,f) → (B,f); margin is (B,1) → (B). */
const withoutTime = (shape: readonly number[]): readonly number[] => shape.filter((_, axis) => axis !== 1)

/** What a step returns, by name. */
type Results = Record<string, Tensor | 0 | 1>

type Advance = (feeds: Feeds) => Results | Promise<Results>

/** One step through `run`: state stays where the executor keeps it. */
function advanceByRun(program: Program, state: HeldTensors): Advance {
  return async (feeds) => {
    const result: Results = {}
    for (const [name, t] of Object.entries(await program.run(feeds))) {
      if (name.startsWith(STATE)) {
        state.set(name.slice(STATE.length), t)
        continue
      }
      const { dtype, shape, data } = await toHost(t)
      result[name] = { dtype, shape: withoutTime(shape), data }
      t.dispose()
    }
    return result
  }
}

/** One step through a synchronous `runInto`: state alternates between two buffers, only results are allocated. */
function advanceInPlace(program: Program, backend: Backend, graph: Graph, state: HeldTensors): Advance {
  const double = backend.capabilities.precision === 'float64'
  const make = (dtype: DType, count: number): Tensor['data'] =>
    double && dtype === 'float32' ? new Float64Array(count) : allocate(dtype, count)
  const outputs = graph.outputs.map(({ name, value }) => {
    const { dtype, shape } = graph.values[value] as { dtype: DType; shape: readonly number[] }
    return { name, dtype, shape, count: countOf(shape), public: withoutTime(shape) }
  })
  const results = outputs.filter(({ name }) => !name.startsWith(STATE))
  const carried = outputs
    .filter(({ name }) => name.startsWith(STATE))
    .map(({ name, dtype, shape, count }) => ({
      name,
      key: name.slice(STATE.length),
      spare: { dtype, shape, data: make(dtype, count) } as Tensor,
    }))
  // The same objects at every step: the program is done with them when `runInto` returns.
  const targets = results.map(({ name, dtype, shape, count, public: visible }) => {
    const target = { dtype, shape, data: make(dtype, count) }
    const Data = target.data.constructor as Float32ArrayConstructor
    return { name, dtype, visible, count, target, Data }
  })
  const out: Record<string, Tensor> = {}
  for (const { name, target } of targets) out[name] = target as Tensor
  // Without iterators, which cost more than the rest until an engine has optimized them.
  return (feeds) => {
    const result: Results = {}
    for (let i = 0; i < targets.length; i++) {
      const to = targets[i] as (typeof targets)[number]
      const data = new to.Data(to.count)
      to.target.data = data
      result[to.name] = { dtype: to.dtype, shape: to.visible, data } as Tensor
    }
    for (let i = 0; i < carried.length; i++) {
      const slot = carried[i] as (typeof carried)[number]
      out[slot.name] = slot.spare
    }
    void program.runInto(feeds, out)
    for (let i = 0; i < carried.length; i++) {
      const slot = carried[i] as (typeof carried)[number]
      const old = state.get(slot.key) as Tensor
      state.set(slot.key, slot.spare)
      slot.spare = old
    }
    return result
  }
}

const copyOf = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() as Tensor['data'] })

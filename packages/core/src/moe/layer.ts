/** The public face of a sparse layer: run, streamed and trained, with parameters and the policy's state in the caller's hands. */
import type { Backend } from '../backend/contract.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError } from '../errors.js'
import { loadMechanisms } from '../gates/on-demand.js'
import {
  checkParams,
  type InitOptions,
  initialize,
  type ParameterSpec,
  type Params,
} from '../gates/parameters.js'
import type { GateStream } from '../gates/stream.js'
import type { Graph } from '../graph/types.js'
import { optimize } from '../passes/optimize.js'
import { frozenFeeds } from '../policies/carried.js'
import type { SparseRouting } from '../policies/gate.js'
import { type PolicyPromises, promisesOf, requireStreaming } from '../policies/policy.js'
import { checkPolicyState, initialPolicyState, type PolicyState } from '../policies/state.js'
import { random } from '../random/stream.js'
import type { Tensor } from '../tensor.js'
import { type MoeLayerConfig, type ResolvedMoeLayer, resolveMoeLayer } from './config.js'
import { keyOf, type MoeLayerInputs, runFitting } from './feeds.js'
import { type MoeLayerForm, moeLayerGraph, moeLayerLossGraph, moeLayerParams } from './graph.js'
import { RowLadder, rowBound } from './rows.js'
import type { MoeLayerTrainer, MoeLayerTrainerOptions } from './trainer.js'

/** What comes out of B sequences of T tokens. Host tensors. */
export interface MoeLayerResult {
  /** (B,T,d) */
  readonly y: Tensor
  /** (E): tokens of each expert in this call. */
  readonly load: Tensor
}

/** The same with the whole routing. */
export type MoeLayerDetails = MoeLayerResult & Omit<SparseRouting, 'horizon'>

/** A layer with its parameters and state inside. */
export interface OpenMoeLayer {
  /** As `run` of the layer. @throws FEP_BAD_FEED, FEP_TOO_FEW_TOKENS, FEP_DISPOSED */
  run(x: Tensor, options?: MoeLayerInputs & { readonly details?: false }): Promise<MoeLayerResult>
  /** With `details`, the decisions too. */
  run(x: Tensor, options: MoeLayerInputs & { readonly details: true }): Promise<MoeLayerDetails>
  /** Gives up programs and packed parameters. */
  dispose(): Promise<void>
  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A sparse layer. Immutable; parameters and state are the caller's. */
export interface MoeLayer extends ResolvedMoeLayer, PolicyPromises {
  /** `router.*`, `experts.e.{0,2}.*` (`w1`, `w2`, `w3` with swiglu), `shared.*`. */
  readonly params: readonly ParameterSpec[]
  /** Draws parameters. @throws FEP_BAD_ARGUMENT */
  init(options: InitOptions): Params
  /** The policy's state before anything was seen: all 0. */
  initialState(): PolicyState
  /**
   * The sequence form as a graph, optimized. A belief, a clock or tracked precision needs `await loadMechanisms(layer.gate)` before.
   * @throws FEP_BAD_GRAPH, FEP_TOO_FEW_TOKENS, FEP_BAD_FEED, FEP_UNSUPPORTED
   */
  graph(form: MoeLayerForm): Graph
  /** The training form: `loss` and `task` from `targets` (B,T,d), and what training accumulates. */
  lossGraph(form: Omit<MoeLayerForm, 'details' | 'state'>): Graph
  /**
   * Runs whole sequences with the state as it is: nothing is learned, nothing is averaged, no token is dropped.
   * @param x (B,T,d) float32
   * @throws FEP_BAD_FEED, FEP_BAD_PARAMS, FEP_TOO_FEW_TOKENS
   */
  run(
    backend: Backend,
    params: Params,
    state: PolicyState,
    x: Tensor,
    options?: MoeLayerInputs & { readonly details?: false },
  ): Promise<MoeLayerResult>
  /** With `details`, the decisions too. */
  run(
    backend: Backend,
    params: Params,
    state: PolicyState,
    x: Tensor,
    options: MoeLayerInputs & { readonly details: true },
  ): Promise<MoeLayerDetails>
  /**
   * Opens the layer for many runs with the same parameters and state: they are copied, and an executor packs them once, which
   * takes as much memory again. Runs give the numbers of `run`.
   */
  open(backend: Backend, params: Params, state: PolicyState): Promise<OpenMoeLayer>
  /**
   * One token per sequence at a time, with the same numbers; parameters and state are copied.
   * @throws FEP_UNSUPPORTED where a decision depends on more than the token and what came before it
   */
  stream(
    backend: Backend,
    params: Params,
    state: PolicyState,
    options?: { readonly batch?: number },
  ): Promise<GateStream<MoeLayerDetails>>
  /** Trains gate, policy and experts together on a squared error. */
  trainer(
    backend: Backend,
    params: Params,
    state: PolicyState,
    options: MoeLayerTrainerOptions,
  ): Promise<MoeLayerTrainer>
  /** Disposes the programs that `run` keeps for a backend. */
  release(backend: Backend): Promise<void>
}

/**
 * Makes a sparse layer: y = Σ w · expert(x) over the experts that a token was routed to, plus a shared expert and the token
 * itself where configured. Only pairs that were routed are computed.
 * @throws FEP_BAD_CONFIG with the path of the bad field
 * @example
 * const layer = createMoeLayer({ dim: 64, experts: 16, router: { select: { kind: 'token-choice', k: 2 } } })
 * const { y } = await layer.run(backend, layer.init({ seed: 42 }), layer.initialState(), x)
 */
export function createMoeLayer(config: MoeLayerConfig): MoeLayer {
  const model = resolveMoeLayer(config)
  const { gate, policy } = model
  const params = moeLayerParams(model)
  const programs = new ProgramCache()
  const ladder = new RowLadder()
  const graph = (form: MoeLayerForm) => optimize(moeLayerGraph(model, form))
  /** Parameters and state that evaluation reads: not those of learned noise. */
  const evaluated = (values: Params, state: PolicyState): Params => {
    checkParams(params, values)
    checkPolicyState(policy, state)
    const { 'router.W_noise.weight': _, ...rest } = values
    return { ...rest, ...frozenFeeds(policy, state) }
  }
  const run = async (
    backend: Backend,
    values: Params,
    state: PolicyState,
    x: Tensor,
    { details = false, ...inputs }: MoeLayerInputs & { readonly details?: boolean } = {},
  ): Promise<MoeLayerDetails> => {
    const fixed = evaluated(values, state)
    return runFitting(model, ladder, x, inputs, async (form, feeds) => {
      const whole = { ...form, details }
      const program = await programs.get(backend, keyOf(whole), async () => {
        await loadMechanisms(gate)
        return graph(whole)
      })
      return program.run({ ...fixed, ...feeds })
    })
  }
  return {
    ...model,
    ...promisesOf(policy),
    params,
    init: (options) => initialize(params, options, (path, out) => random(options.seed, path).fillNormal(out)),
    initialState: () => initialPolicyState(policy),
    graph,
    lossGraph: (form) => moeLayerLossGraph(model, form),
    run,
    open: async (backend, values, state) => {
      const fixed = evaluated(values, state)
      const [{ openMoeLayer }] = await Promise.all([import('./open.js'), loadMechanisms(gate)])
      return openMoeLayer(model, graph, backend, fixed)
    },
    stream: async (backend, values, state, { batch = 1 } = {}) => {
      const fixed = evaluated(values, state)
      requireStreaming(policy)
      if (!Number.isSafeInteger(batch) || batch < 1)
        throw new FepError('FEP_BAD_ARGUMENT', `stream: batch is ${batch}; accepted: an integer >= 1`)
      const [{ LARGEST_BOUND, openStream }] = await Promise.all([import('./open.js'), loadMechanisms(gate)])
      const bound = rowBound(policy, { batch, steps: 1, training: false })
      const rows = bound.kind === 'fixed' ? undefined : bound.most
      return openStream<MoeLayerDetails>({
        backend,
        config: gate,
        graph: graph({ batch, steps: 1, state: true, details: true, rows }),
        params: fixed,
        batch,
        largest: LARGEST_BOUND,
      })
    },
    trainer: async (backend, values, state, options) => {
      const [{ createMoeLayerTrainer }] = await Promise.all([import('./trainer.js'), loadMechanisms(gate)])
      return createMoeLayerTrainer(model, params, backend, values, state, options)
    },
    release: (backend) => programs.clear(backend),
  }
}

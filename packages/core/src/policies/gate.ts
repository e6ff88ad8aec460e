/** The public face of a gate with a policy: routed, streamed and trained with its state in the caller's hands. */
import type { Backend } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { checkTokens, precisionFeed } from '../gates/edge.js'
import type { RouteOptions, Routing } from '../gates/gate.js'
import { decidesAhead } from '../gates/horizon.js'
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
import { random } from '../random/stream.js'
import type { Tensor } from '../tensor.js'
import { checkShares, frozenFeeds, type PolicyInputs, policyFeeds } from './carried.js'
import { type SparseGraphOptions, sparseSequenceGraph } from './gate-graphs.js'
import {
  resolveSparseGate,
  type SparseGateConfig,
  type SparseGateModel,
  sparseGateParams,
} from './gate-model.js'
import type { SparseTrainer, SparseTrainerOptions } from './gate-trainer.js'
import { type PolicyPromises, promisesOf, requireStreaming } from './policy.js'
import { checkPolicyState, initialPolicyState, type PolicyState } from './state.js'

/** What a gate with a policy returns: as `Routing`, and what a sparse layer needs. */
export interface SparseRouting extends Routing {
  /** (B,T,E): 1 where the expert takes the token, else 0; a weight may be 0 all the same. */
  readonly mask: Tensor
  /** (B,T): weight of a shared expert. */
  readonly shared: Tensor
  /** (E): tokens of each expert in this call. */
  readonly load: Tensor
  /** (B,T,E): where the gate anticipates. */
  readonly next?: Tensor
  /** With `details`: (B,T,width). */
  readonly memory?: Tensor
  /** With `details`: (B,T,d). */
  readonly prediction?: Tensor
  /** With `details`, where the gate filters: (B,T,S·M), (B,T,E) and (B,T), as of `Gate`. */
  readonly belief?: Tensor
  readonly present?: Tensor
  readonly surprise?: Tensor
}

/** Options of one routing call. */
export interface SparseRouteOptions extends RouteOptions, PolicyInputs {}

/** A gate with a policy. Immutable; parameters and state are the caller's. */
export interface SparseGate extends SparseGateModel, PolicyPromises {
  /** 1 where it decides for the token after the one it was given (direct anticipation, belief), else 0. */
  readonly horizon: 0 | 1
  readonly params: readonly ParameterSpec[]
  /** Draws parameters. @throws FEP_BAD_ARGUMENT */
  init(options: InitOptions): Params
  /** The policy's state before anything was seen: all 0. Cutoffs of 0 are a start for training; serve with calibrated ones. */
  initialState(): PolicyState
  /**
   * The sequence form as a graph, optimized. A belief, a clock or tracked precision needs `await loadMechanisms(gate.gate)` before.
   * @throws FEP_BAD_GRAPH, FEP_TOO_FEW_TOKENS, FEP_BAD_FEED, FEP_UNSUPPORTED
   */
  graph(options: SparseGraphOptions): Graph
  /**
   * Routes whole sequences with the state as it is: nothing is learned, nothing is averaged, nothing is dropped.
   * @param x (B,T,d) float32
   * @throws FEP_BAD_FEED, FEP_BAD_PARAMS, FEP_TOO_FEW_TOKENS
   */
  route(
    backend: Backend,
    params: Params,
    state: PolicyState,
    x: Tensor,
    options?: SparseRouteOptions,
  ): Promise<SparseRouting>
  /**
   * Routes one token at a time with the same numbers; parameters and state are copied, and stay as they are.
   * @throws FEP_UNSUPPORTED where a decision depends on other tokens (expert choice, softmax over tokens), or on more than
   * the token (random, hash)
   */
  stream(
    backend: Backend,
    params: Params,
    state: PolicyState,
    options?: { readonly batch?: number },
  ): Promise<GateStream<SparseRouting>>
  /** Trains gate and policy. @throws FEP_UNSUPPORTED for `cosine-threshold`, which a layer trains */
  trainer(
    backend: Backend,
    params: Params,
    state: PolicyState,
    options: SparseTrainerOptions,
  ): Promise<SparseTrainer>
  /** Disposes the programs that `route` keeps for a backend. */
  release(backend: Backend): Promise<void>
}

/**
 * Makes a gate with a policy.
 * @throws FEP_BAD_CONFIG with the path of the bad field
 * @example
 * const gate = createSparseGate({ dim: 64, experts: 16, memory: { kind: 'leaky' }, select: { kind: 'threshold' } })
 * const trainer = await gate.trainer(backend, gate.init({ seed: 42 }), gate.initialState(), { optimizer: adam({ lr: 3e-3 }) })
 */
export function createSparseGate(config: SparseGateConfig): SparseGate {
  const model = resolveSparseGate(config)
  const { gate, policy } = model
  const params = sparseGateParams(model)
  const promises = promisesOf(policy)
  const programs = new ProgramCache()
  const horizon = decidesAhead(gate) ? 1 : 0
  const graph = (options: SparseGraphOptions) => optimize(sparseSequenceGraph(model, options))
  /** Parameters and state that evaluation reads: not those of learned noise. */
  const evaluated = (values: Params, state: PolicyState): Params => {
    checkParams(params, values)
    checkPolicyState(policy, state)
    const { 'W_noise.weight': _, ...rest } = values
    return { ...rest, ...frozenFeeds(policy, state) }
  }
  return {
    ...model,
    ...promises,
    horizon,
    params,
    init: (options) => initialize(params, options, (path, out) => random(options.seed, path).fillNormal(out)),
    initialState: () => initialPolicyState(policy),
    graph,
    route: async (backend, values, state, x, options = {}) => {
      const fixed = evaluated(values, state)
      checkTokens(x, gate.dim, 3)
      const [batch, steps] = x.shape as [number, number]
      const beside = policyFeeds(policy, options)
      checkShares(policy, [batch, steps], options.valid, false)
      const form = {
        steps,
        reset: options.reset !== undefined,
        details: options.details ?? false,
        valid: options.valid !== undefined,
        ...(promises.bound ? { batch } : {}),
      }
      const program = await programs.get(backend, JSON.stringify(form), async () => {
        await loadMechanisms(gate)
        return graph(form)
      })
      const results = await program.run({
        ...fixed,
        ...beside,
        x,
        ...precisionFeed(gate, options.precision, [batch, steps], 'batch-major', options.feedback),
        ...(options.reset ? { reset: options.reset } : {}),
      })
      return { ...(await takeAll(results)), horizon } as unknown as SparseRouting
    },
    stream: async (backend, values, state, { batch = 1 } = {}) => {
      const fixed = evaluated(values, state)
      requireStreaming(policy)
      const [{ openStream }] = await Promise.all([import('../gates/serving.js'), loadMechanisms(gate)])
      return openStream<SparseRouting>({
        backend,
        config: gate,
        horizon,
        graph: graph({ steps: 1, state: true }),
        params: fixed,
        batch,
      })
    },
    trainer: async (backend, values, state, options) => {
      const [{ createSparseTrainer }] = await Promise.all([import('./gate-trainer.js'), loadMechanisms(gate)])
      return createSparseTrainer(model, params, backend, values, state, options)
    },
    release: (backend) => programs.clear(backend),
  }
}

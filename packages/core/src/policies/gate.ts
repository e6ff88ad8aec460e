/** The public face of a gate with a policy: routed, streamed and trained with its state in the caller's hands. */
import type { Backend, Feed } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError } from '../errors.js'
import { checkTokens, precisionFeed } from '../gates/edge.js'
import type { RouteOptions, Routing } from '../gates/gate.js'
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
import { checkIds } from './fixed.js'
import { POLICY, type SparseGraphOptions, sparseSequenceGraph } from './gate-graphs.js'
import {
  resolveSparseGate,
  type SparseGateConfig,
  type SparseGateModel,
  sparseGateParams,
} from './gate-model.js'
import type { SparseTrainer, SparseTrainerOptions } from './gate-trainer.js'
import { type PolicyPromises, promisesOf } from './policy.js'
import { checkPools } from './pools.js'
import { checkPolicyState, frozenStates, initialPolicyState, type PolicyState } from './state.js'

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
}

/** Options of one routing call. */
export interface SparseRouteOptions extends RouteOptions {
  /** bool (B,T): false for padding, which goes to no expert and counts nowhere. Default: all tokens are real. */
  readonly valid?: Tensor
  /** Uniform numbers (B,T,E), for `random` and for nothing else. */
  readonly uniform?: Tensor
  /** int32 token ids (B,T), for `hash` and for nothing else. */
  readonly ids?: Tensor
}

/** A gate with a policy. Immutable; parameters and state are the caller's. */
export interface SparseGate extends SparseGateModel, PolicyPromises {
  /** 1 where it decides for the token after the one it was given (direct anticipation), else 0. */
  readonly horizon: 0 | 1
  readonly params: readonly ParameterSpec[]
  /** Draws parameters. @throws FEP_BAD_ARGUMENT */
  init(options: InitOptions): Params
  /** The policy's state before anything was seen: all 0. Cutoffs of 0 are a start for training; serve with calibrated ones. */
  initialState(): PolicyState
  /** The sequence form as a graph, optimized. @throws FEP_BAD_GRAPH, FEP_TOO_FEW_TOKENS, FEP_BAD_FEED */
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

/** What a graph needs of the state, as feeds. */
const frozenFeeds = (model: SparseGateModel, state: PolicyState): Record<string, Tensor> =>
  Object.fromEntries(frozenStates(model.policy).map(({ name }) => [POLICY + name, state[name] as Tensor]))

/** The feeds a policy decides on beside logits. @throws FEP_BAD_FEED for one it has no use for, or lacks */
function policyFeeds(
  { policy }: SparseGateModel,
  { uniform, ids, valid }: SparseRouteOptions,
): Record<string, Feed> {
  const feeds: Record<string, Feed> = valid ? { valid } : {}
  for (const [name, value, kind] of [
    ['uniform', uniform, 'random'],
    ['ids', ids, 'hash'],
  ] as const) {
    if ((value !== undefined) !== (policy.kind === kind))
      throw new FepError(
        'FEP_BAD_FEED',
        `'${name}' is for policies of kind '${kind}'; this one is '${policy.kind}'`,
      )
    if (value) feeds[name] = value
    if (value && policy.kind === 'hash') checkIds(policy, value)
  }
  return feeds
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
  const horizon = gate.anticipation?.kind === 'direct' ? 1 : 0
  const graph = (options: SparseGraphOptions) => optimize(sparseSequenceGraph(model, options))
  const learnedNoise = params.some(({ name }) => name === 'W_noise.weight')
  /** Parameters that evaluation reads. */
  const routed = (values: Params): Params => {
    checkParams(params, values)
    if (!learnedNoise) return values
    const { 'W_noise.weight': _, ...rest } = values
    return rest
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
      const known = routed(values)
      checkPolicyState(policy, state)
      checkTokens(x, gate.dim, 3)
      const [batch, steps] = x.shape as [number, number]
      const beside = policyFeeds(model, options)
      if (policy.kind === 'expert-choice') checkPools(policy, [batch, steps], options.valid, policy.pool)
      const form = {
        steps,
        reset: options.reset !== undefined,
        details: options.details ?? false,
        valid: options.valid !== undefined,
        ...(promises.bound ? { batch } : {}),
      }
      const program = await programs.get(backend, JSON.stringify(form), () => graph(form))
      const results = await program.run({
        ...known,
        ...frozenFeeds(model, state),
        ...beside,
        x,
        ...precisionFeed(gate, options.precision, [batch, steps]),
        ...(options.reset ? { reset: options.reset } : {}),
      })
      return { ...(await takeAll(results)), horizon } as unknown as SparseRouting
    },
    stream: async (backend, values, state, { batch = 1 } = {}) => {
      const known = routed(values)
      checkPolicyState(policy, state)
      if (!promises.causal || policy.kind === 'random' || policy.kind === 'hash')
        throw new FepError(
          'FEP_UNSUPPORTED',
          `a gate with select.kind '${policy.kind}' decides on more than the token it is given${
            'weights' in policy && policy.weights === 'softmax-tokens' ? " (weights 'softmax-tokens')" : ''
          }: it has no streaming form`,
        )
      const { openStream } = await import('../gates/serving.js')
      return openStream<SparseRouting>({
        backend,
        config: gate,
        horizon,
        graph: graph({ steps: 1, state: true }),
        params: { ...known, ...frozenFeeds(model, state) },
        batch,
      })
    },
    trainer: async (backend, values, state, options) => {
      const { createSparseTrainer } = await import('./gate-trainer.js')
      return createSparseTrainer(model, params, backend, values, state, options)
    },
    release: (backend) => programs.clear(backend),
  }
}

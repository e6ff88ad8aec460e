/** The public face of a gate: one configuration, and from it parameters, graphs, routing, streaming, gradients, training. */
import type { Backend } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { optimize } from '../passes/optimize.js'
import type { Tensor } from '../tensor.js'
import { gateParams } from './compose.js'
import type { GateConfig, KeyOf, NoUnknownFields, ResolvedGateConfig } from './config.js'
import { checkTokens, precisionFeed } from './edge.js'
import { decidesAhead } from './horizon.js'
import { loadMechanisms } from './on-demand.js'
import { checkParams, type InitOptions, initialize, type ParameterSpec, type Params } from './parameters.js'
import type { PrecisionState } from './precision.js'
import { resolveGateConfig } from './resolve-config.js'
import { type SequenceOptions, sequenceGraph } from './sequence.js'
import type { GateStream } from './stream.js'
import type { Trainer, TrainerOptions } from './trainer.js'
import type { GateVjp, VjpOptions } from './vjp.js'

/** 1 where the gate decides for the token after the one it was given (direct anticipation, belief, oracle), else 0. */
export type Horizon<C extends GateConfig> = C extends { readonly router: 'oracle' }
  ? 1
  : C extends { readonly belief: infer Belief extends object }
    ? BeliefHorizon<Belief>
    : C extends { readonly anticipation: { readonly kind: 'direct' | 'logits' } }
      ? 1
      : C extends { readonly anticipation: { readonly kind: 'additive' | 'distribution' } }
        ? 0
        : C extends { readonly anticipation: object }
          ? 0 | 1
          : GateConfig extends C
            ? 0 | 1
            : 0

type BeliefHorizon<B> = B extends { readonly horizon: infer H extends 0 | 1 }
  ? H
  : 'horizon' extends KeyOf<B>
    ? 0 | 1
    : 1

/** What every gate returns for B sequences of T tokens; E experts, k selected. Host tensors. */
export interface Routing<H extends 0 | 1 = 0 | 1> {
  /** (B,T,E) float32, zero where not selected. */
  readonly weights: Tensor
  /** (B,T,k) int32, best first. Dense selection: k = 1, the largest weight. Spikes: k = E, filled up with −1. */
  readonly indices: Tensor
  /**
   * (B,T) float32: score of the last selected expert minus the first one left out; the largest float32 where none is.
   * Spikes: the distance of the membrane nearest to θ.
   */
  readonly margin: Tensor
  /** (B,T,E) float32: scores before selection, Π included. */
  readonly logits: Tensor
  /** 0: experts for the token just given. 1: experts for the token after it. */
  readonly horizon: H
}

/** Adds `next` where the configuration anticipates: (B,T,E) float32, a distribution over experts for the token after. */
export type RoutingOf<C extends GateConfig> = Routing<Horizon<C>> &
  ([C] extends [{ readonly anticipation: object } | { readonly belief: object }]
    ? { readonly next: Tensor }
    : 'anticipation' extends KeyOf<C>
      ? { readonly next?: Tensor }
      : unknown)

/** What `route` returns: with `details` also what there is of these. */
export type RouteResult<C extends GateConfig> = RoutingOf<C> & {
  /** The memory after each token (B,T,width). */
  readonly memory?: Tensor
  /** x̂ (B,T,d). */
  readonly prediction?: Tensor
  /** The belief of the token after each, before its evidence (B,T,S·M), state by state. */
  readonly belief?: Tensor
  /** The belief of each token after its evidence, read out to experts (B,T,E). */
  readonly present?: Tensor
  /** −log of how probable the filter held each token's evidence (B,T), in nats up to the evidence's own scale. */
  readonly surprise?: Tensor
}

/** Options of one routing call. */
export interface RouteOptions {
  /**
   * Π (E), or (B,T,E) where every sequence has its own; or a tracker's state, which then holds for all tokens. Default:
   * the tracker's initial state. Only where the gate has precision.
   */
  readonly precision?: Tensor | PrecisionState
  /**
   * (B,T,E) float32: the error of each expert that became known before a token is routed, >= 0, or −1 where none did. Only
   * where the gate tracks precision. Default: none.
   */
  readonly feedback?: Tensor
  /** bool (B,T): true where a new document starts; memory is cleared before that token. */
  readonly reset?: Tensor
  /** Also return what else there is to see. Default false. Logits may then differ in their rounding. */
  readonly details?: boolean
}

/** A gate. Immutable; parameters and state are the caller's. */
export interface Gate<C extends GateConfig = GateConfig> {
  readonly config: ResolvedGateConfig
  readonly horizon: Horizon<C>
  /** False where a decision looks at later tokens (oracle): such a gate cannot stream. */
  readonly causal: boolean
  /** Names and shapes of the parameters, in PyTorch state-dict order. */
  readonly params: readonly ParameterSpec[]
  /** Draws parameters. @throws FEP_BAD_ARGUMENT */
  init(options: InitOptions): Params
  /**
   * Waits for code that is loaded on demand: beliefs, clocks and tracked precision are. Only `graph` needs it said; all that returns a
   * promise waits by itself.
   */
  ready(): Promise<void>
  /** The sequence form as a graph, optimized. @throws FEP_UNSUPPORTED for state of an oracle, and before `ready` */
  graph(options: SequenceOptions): Graph
  /**
   * Routes whole sequences. Programs are compiled per T and kept (the last 16 per backend).
   * @param x (B,T,d) float32
   * @throws FEP_BAD_FEED, FEP_BAD_PARAMS, FEP_UNSUPPORTED
   */
  route(backend: Backend, params: Params, x: Tensor, options?: RouteOptions): Promise<RouteResult<C>>
  /** Routes one token at a time, with the same numbers. Parameters are copied. @throws FEP_UNSUPPORTED for an oracle */
  stream(
    backend: Backend,
    params: Params,
    options?: { readonly batch?: number },
  ): Promise<GateStream<RoutingOf<C>>>
  /** Trains on a backend. */
  trainer(backend: Backend, params: Params, options: TrainerOptions): Promise<Trainer>
  /** Outputs and a function that pulls gradients of them back to parameters and tokens. */
  vjp(backend: Backend, params: Params, x: Tensor, options?: VjpOptions): Promise<GateVjp>
  /** Disposes the programs that `route` and `vjp` keep for a backend (disposing the backend does so too). */
  release(backend: Backend): Promise<void>
}

/**
 * Makes a gate from its configuration.
 * @throws FEP_BAD_CONFIG with the path of the bad field
 * @example
 * const gate = createGate({ dim: 64, experts: 8, memory: { kind: 'leaky' }, anticipation: { kind: 'additive' }, select: { kind: 'top-k', k: 2 } })
 * const params = gate.init({ seed: 42 })
 */
export function createGate<const C extends GateConfig>(config: C & NoUnknownFields<C>): Gate<C> {
  const resolved = resolveGateConfig(config)
  const params = gateParams(resolved)
  const programs = new ProgramCache()
  const oracle = resolved.router === 'oracle'
  const horizon = (decidesAhead(resolved) ? 1 : 0) as Horizon<C>
  const graph = (options: SequenceOptions): Graph => {
    if (oracle && options.state)
      throw new FepError('FEP_UNSUPPORTED', 'an oracle reads the next token: it cannot stream')
    return optimize(sequenceGraph(resolved, options))
  }
  return {
    config: resolved,
    horizon,
    causal: !oracle,
    params,
    init: (options) => initialize(params, options),
    ready: () => loadMechanisms(resolved),
    graph,
    route: async (backend, values, x, options = {}) => {
      checkParams(params, values)
      checkTokens(x, resolved.dim, 3)
      const steps = x.shape[1] as number
      const reset = options.reset !== undefined
      const details = options.details ?? false
      const program = await programs.get(backend, `route/${steps}/${reset}/${details}`, async () => {
        await loadMechanisms(resolved)
        const whole = graph({ steps, reset, details })
        // On fewer tokens than experts merging costs more than it saves.
        if (steps < resolved.experts) return whole
        const { mergeProducts } = await import('./serving.js')
        return mergeProducts(whole, Object.keys(values))
      })
      const feeds = {
        ...values,
        x,
        ...precisionFeed(
          resolved,
          options.precision,
          [x.shape[0] as number, steps],
          'batch-major',
          options.feedback,
        ),
        ...(options.reset ? { reset: options.reset } : {}),
      }
      return { ...(await takeAll(await program.run(feeds))), horizon } as unknown as RouteResult<C>
    },
    // Loaded on demand: a page that does not train never fetches gradients and optimizers.
    stream: async (backend, values, options = {}) => {
      checkParams(params, values)
      const [{ openStream }] = await Promise.all([import('./serving.js'), loadMechanisms(resolved)])
      return openStream<RoutingOf<C>>({
        backend,
        config: resolved,
        horizon,
        graph: graph({ steps: 1, state: true }),
        params: values,
        batch: options.batch ?? 1,
      })
    },
    trainer: async (backend, values, options) => {
      const [{ createTrainer }] = await Promise.all([import('./training.js'), loadMechanisms(resolved)])
      return createTrainer(resolved, params, backend, values, options)
    },
    vjp: async (backend, values, x, options = {}) => {
      checkParams(params, values)
      checkTokens(x, resolved.dim, 3)
      const [{ gateVjp }] = await Promise.all([import('./training.js'), loadMechanisms(resolved)])
      return gateVjp({ config: resolved, specs: params, programs, backend, params: values, x, options })
    },
    release: (backend) => programs.clear(backend),
  }
}

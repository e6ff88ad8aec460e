/** A router to compare with: run, trained, and what it costs. */
import {
  type Backend,
  checkParams,
  FepError,
  type Graph,
  graphCost,
  type InitOptions,
  initialize,
  type LossResult,
  type OptimizationOptions,
  optimize,
  type ParameterSpec,
  type Params,
  type Tensor,
  type TrainingLoop,
  takeAll,
  zeros,
} from '@fep-moe/core'
import { openTrainer } from '@fep-moe/core/training'
import { type BaselineConfig, type ResolvedBaseline, resolveBaseline } from './config.js'
import {
  type BaselineForm,
  baselineGraph,
  baselineLossGraph,
  baselineParams,
  baselineStates,
} from './graph.js'

/** States by feed name, `state/0`..: (width, steps, B) each. */
export type BaselineState = Readonly<Record<string, Tensor>>

/** One training batch, features first. */
export interface BaselineBatch {
  /** (d,T,B) float32. */
  readonly x: Tensor
  /** (T,B) int32. */
  readonly targets: Tensor
  /** Where the sequences went before: truncated back-propagation. Default: they start here, and no state comes back. */
  readonly state?: BaselineState
}

/** Results of a step, before its update; readable until the next step is done. */
export interface BaselineStep extends LossResult {
  /** (E,T,B) */
  logits(): Promise<Tensor>
  /** After the last token. @throws FEP_BAD_ARGUMENT where the batch brought none */
  state(): Promise<BaselineState>
}

/** What a router costs. */
export interface RouterCost {
  readonly parameters: number
  /** Numbers that a sequence carries from token to token. */
  readonly state: number
  /** Operations per token, from the graph of a single step: a multiply-add is two. */
  readonly flops: number
}

/** A router that runs. */
export interface BaselineEvaluator {
  /** @param x (d,T,B) @returns logits (E,T,B), and the states after the last token where the form has them */
  run(x: Tensor, state?: BaselineState): Promise<{ readonly logits: Tensor; readonly state: BaselineState }>
  /** Gives up the program. */
  dispose(): void
}

/** A router. Immutable; parameters and state are the caller's. */
export interface Baseline {
  readonly config: ResolvedBaseline
  readonly params: readonly ParameterSpec[]
  readonly cost: RouterCost
  /** Draws parameters. @throws FEP_BAD_ARGUMENT */
  init(options: InitOptions): Params
  /** States before the first token. */
  initialState(batch: number): BaselineState
  /** The sequence form as a graph, optimized. */
  graph(form: BaselineForm): Graph
  /** Compiles the sequence form, to run it more than once. */
  evaluator(backend: Backend, params: Params, form: BaselineForm): Promise<BaselineEvaluator>
  /** Trains on the mean cross-entropy over all steps. */
  trainer(
    backend: Backend,
    params: Params,
    options: OptimizationOptions,
  ): TrainingLoop<BaselineBatch, BaselineStep>
}

/**
 * Makes a router to compare with.
 * @throws FEP_BAD_CONFIG naming the field
 * @example
 * const router = createBaseline({ kind: 'gru', dim: 16, experts: 4, hidden: 32 })
 * const trainer = router.trainer(backend, router.init({ seed: 1 }), { optimizer: adam({ lr: 3e-3 }) })
 */
export function createBaseline(given: BaselineConfig): Baseline {
  const config = resolveBaseline(given)
  const params = baselineParams(config)
  const states = baselineStates(config)
  const names = states.map((_, n) => `state/${n}`)
  const graph = (form: BaselineForm) => optimize(baselineGraph(config, form))
  const formOf = (x: Tensor, state: BaselineState | undefined): BaselineForm => ({
    steps: x.shape[1] as number,
    state: state !== undefined,
  })
  return {
    config,
    params,
    cost: {
      parameters: params.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0),
      state: states.reduce((n, { width, steps }) => n + width * steps, 0),
      flops: graphCost(graph({ steps: 1, state: true }), 1).total.flops,
    },
    init: (options) => initialize(params, options),
    initialState: (batch) =>
      Object.fromEntries(states.map(({ width, steps }, n) => [`state/${n}`, zeros([width, steps, batch])])),
    graph,
    evaluator: async (backend, values, form) => {
      checkParams(params, values)
      const program = await backend.compile(graph(form))
      return {
        run: async (x, state = {}) => {
          const { logits, ...after } = await takeAll(await program.run({ ...values, x, ...state }))
          return { logits: logits as Tensor, state: after }
        },
        dispose: () => program.dispose(),
      }
    },
    trainer: (backend, values, options) =>
      openTrainer<BaselineBatch, BaselineStep>(
        {
          specs: params,
          read: ({ x, targets, state }) => {
            const form = formOf(x, state)
            return {
              form: { key: `${form.steps}/${form.state}`, graph: () => baselineLossGraph(config, form) },
              feeds: { x, targets, ...state },
            }
          },
          show: (results) => ({
            loss: async () => (await results.read('loss')).data[0] as number,
            logits: () => results.read('logits'),
            state: async () =>
              Object.fromEntries(
                await Promise.all(names.map(async (name) => [name, await results.read(name)] as const)),
              ),
          }),
        },
        backend,
        values,
        options,
      ),
  }
}

/**
 * The largest router of a kind within a budget: with as many parameters, or with as much state, as something else has.
 * @throws FEP_BAD_CONFIG where not even one unit fits
 */
export function fitBaseline(
  shape: Omit<BaselineConfig, 'hidden'>,
  budget: { readonly parameters: number } | { readonly state: number },
): Baseline {
  const [what, most] = Object.entries(budget)[0] as ['parameters' | 'state', number]
  const sized = (hidden: number) => createBaseline({ ...shape, hidden })
  const fits = (hidden: number) => sized(hidden).cost[what] <= most
  // The state of one convolution does not grow with its units.
  if (what === 'state' && sized(1).cost.state === sized(2).cost.state)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `baseline: the state of this ${shape.kind} does not depend on its units`,
    )
  if (!fits(1))
    throw new FepError('FEP_BAD_CONFIG', `baseline: one unit of ${shape.kind} has more than ${most} ${what}`)
  let [low, high] = [1, 2]
  while (fits(high)) [low, high] = [high, 2 * high]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle
  }
  return sized(low)
}

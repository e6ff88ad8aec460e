/** A small language model with a mixture layer: run, streamed, evaluated, trained. */
import type { Backend, Feed, Program } from '../backend/contract.js'
import { takeAll } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError, show } from '../errors.js'
import type { ResolvedGateConfig } from '../gates/config.js'
import { precisionFeed } from '../gates/edge.js'
import { loadMechanisms } from '../gates/on-demand.js'
import {
  checkParams,
  type InitOptions,
  initialize,
  type ParameterSpec,
  type Params,
} from '../gates/parameters.js'
import type { PrecisionState } from '../gates/precision.js'
import type { GateStream } from '../gates/stream.js'
import type { Graph } from '../graph/types.js'
import { optimize } from '../passes/optimize.js'
import { random } from '../random/index.js'
import type { Tensor } from '../tensor.js'
import type { LossResult } from '../training/step-result.js'
import type { OptimizationOptions, TrainingLoop } from '../training/trainer.js'
import {
  type LanguageModelConfig,
  type ResolvedLanguageModel,
  resolveLanguageModel,
} from './language-model-config.js'
import {
  type LanguageModelForm,
  type LanguageModelLoss,
  languageModelGraph,
  languageModelLossGraph,
  languageModelParams,
} from './language-model-graph.js'
import { resolveLanguageModelLoss } from './language-model-loss.js'

/** What goes into the model beside tokens. */
export interface LanguageModelOptions {
  /** Π, as for `gate.route`. */
  readonly precision?: Tensor | PrecisionState
  /** (B,T,E), as in routing; where the gate tracks precision. */
  readonly feedback?: Tensor
  /** bool (B,T): a new document starts here. */
  readonly reset?: Tensor
}

/** What comes out of B sequences of T tokens. Host tensors. */
export interface LanguageModelResult {
  /** Of the next token (B,T,V). */
  readonly logits: Tensor
  /** Weights of the experts (B,T,E). */
  readonly weights: Tensor
  /** int32 (B,T,k) */
  readonly indices: Tensor
  /** (B,T) */
  readonly margin: Tensor
}

/** Tokens and what follows them. */
export interface LanguageModelBatch extends LanguageModelOptions {
  /** int32 (B,T), each in 0..vocabulary−1. */
  readonly x: Tensor
  /** int32 (B,T): the tokens to predict. */
  readonly y: Tensor
  /** float32 (B,T): weights of the token losses. Default 1. */
  readonly weights?: Tensor
}

/** Losses of a batch. */
export interface LanguageModelLosses {
  readonly loss: number
  /** Unweighted, in nats (B,T). */
  readonly tokenLoss: Tensor
  /** Mean squared error of x̂; 0 without a predictor. */
  readonly predictionLoss: number
}

/** Results of one training step, before its update; readable until the next step is done. */
export interface LanguageModelStep extends LossResult {
  /** Unweighted, in nats (B,T). */
  tokenLoss(): Promise<Tensor>
  /** Mean squared error of x̂; 0 without a predictor. */
  predictionLoss(): Promise<number>
}

/** Which optional feeds a batch has; each combination is a program of its own. */
export type LanguageModelBatchForm = Pick<LanguageModelForm, 'steps' | 'reset'> & {
  readonly weights?: boolean
}

/** A running training of a language model. */
export interface LanguageModelTrainer extends TrainingLoop<LanguageModelBatch, LanguageModelStep> {
  /** Compiles the program of such batches ahead of the first step. */
  prepare(form: LanguageModelBatchForm): Promise<Program>
}

/** A language model. Immutable; parameters and state are the caller's. */
export interface LanguageModel {
  readonly config: ResolvedLanguageModel
  readonly gate: ResolvedGateConfig
  readonly params: readonly ParameterSpec[]
  /** Layers as torch initializes them: embeddings N(0, 1), LayerNorm 1 and 0. */
  init(options: InitOptions): Params
  /** The sequence form as a graph, optimized. A router with belief or clock: after `loadMechanisms(gate)`. */
  graph(form: LanguageModelForm): Graph
  /** The training form; `weights`: take weights of the token losses (B,T). @throws FEP_BAD_CONFIG */
  lossGraph(form: LanguageModelForm & { readonly weights?: boolean }, loss?: LanguageModelLoss): Graph
  /** @param x int32 (B,T) @throws FEP_BAD_FEED for a token outside the vocabulary */
  run(
    backend: Backend,
    params: Params,
    x: Tensor,
    options?: LanguageModelOptions,
  ): Promise<LanguageModelResult>
  /** Losses without an update. */
  evaluate(
    backend: Backend,
    params: Params,
    batch: LanguageModelBatch,
    loss?: LanguageModelLoss,
  ): Promise<LanguageModelLosses>
  /** One token per sequence at a time, int32 (B): results as of `run`, without the axis for time. */
  stream(
    backend: Backend,
    params: Params,
    options?: { readonly batch?: number },
  ): Promise<GateStream<LanguageModelResult>>
  /** Trains embedding, gate, experts and head together. */
  trainer(
    backend: Backend,
    params: Params,
    options: OptimizationOptions & { readonly loss?: LanguageModelLoss },
  ): Promise<LanguageModelTrainer>
  /** Disposes the programs that `run` and `evaluate` keep for a backend. */
  release(backend: Backend): Promise<void>
}

/**
 * Makes a language model.
 * @throws FEP_BAD_CONFIG with the path of the bad field
 * @example
 * const model = createLanguageModel({ vocabulary: 26, dim: 64, experts: 2, router: { memory: { kind: 'leaky' } }, form: 'tables' })
 */
export function createLanguageModel(config: LanguageModelConfig): LanguageModel {
  const model = resolveLanguageModel(config)
  const { gate, vocabulary } = model
  const params = languageModelParams(model)
  const programs = new ProgramCache()
  const graph = (form: LanguageModelForm) => optimize(languageModelGraph(model, form))
  const feedsOf = (
    x: Tensor,
    { precision, feedback, reset }: LanguageModelOptions,
  ): Record<string, Feed> => ({
    x,
    ...precisionFeed(gate, precision, [x.shape[0] as number, x.shape[1] as number], 'batch-major', feedback),
    ...(reset ? { reset } : {}),
  })
  const lossForm = (
    { steps, reset = false, weights = false }: LanguageModelBatchForm,
    loss: Required<LanguageModelLoss>,
  ) => ({
    key: `${steps}/${reset}/${weights}/${loss.divideBy}/${loss.predictionWeight}`,
    graph: () => languageModelLossGraph(model, { steps, reset, weights, loss }),
  })
  const losses = (batch: LanguageModelBatch, loss: Required<LanguageModelLoss>) => {
    const { x, y, weights, ...rest } = batch
    checkIds('x', x, vocabulary, 2)
    checkIds('y', y, vocabulary, 2)
    return {
      form: lossForm(
        {
          steps: x.shape[1] as number,
          reset: rest.reset !== undefined,
          weights: weights !== undefined,
        },
        loss,
      ),
      feeds: { ...feedsOf(x, rest), y, ...(weights ? { weights } : {}) },
    }
  }
  return {
    config: model,
    gate,
    params,
    init: (options) => initialize(params, options, (path, out) => random(options.seed, path).fillNormal(out)),
    graph,
    lossGraph: (form, loss) =>
      languageModelLossGraph(model, { ...form, loss: resolveLanguageModelLoss(gate, loss) }),
    run: async (backend, values, x, options = {}) => {
      checkParams(params, values)
      checkIds('x', x, vocabulary, 2)
      const form = { steps: x.shape[1] as number, reset: options.reset !== undefined }
      const program = await programs.get(backend, `run/${form.steps}/${form.reset}`, async () => {
        await loadMechanisms(gate)
        return graph(form)
      })
      const fetched = await program.run({ ...values, ...feedsOf(x, options) })
      return (await takeAll(fetched)) as unknown as LanguageModelResult
    },
    evaluate: async (backend, values, batch, loss) => {
      checkParams(params, values)
      const { form, feeds } = losses(batch, resolveLanguageModelLoss(gate, loss))
      const program = await programs.get(backend, `evaluate/${form.key}`, async () => {
        await loadMechanisms(gate)
        return optimize(form.graph())
      })
      const found = await takeAll(await program.run({ ...values, ...feeds }))
      return {
        loss: found.loss?.data[0] as number,
        tokenLoss: found.token_loss as Tensor,
        predictionLoss: found.prediction_loss?.data[0] as number,
      }
    },
    stream: async (backend, values, { batch = 1 } = {}) => {
      checkParams(params, values)
      const [{ openStream }] = await Promise.all([import('../gates/serving.js'), loadMechanisms(gate)])
      return openStream<LanguageModelResult>({
        backend,
        config: gate,
        graph: graph({ steps: 1, state: true }),
        params: values,
        batch,
        token: { shape: [batch, 1], check: (token) => checkIds('token', token, vocabulary, 1) },
      })
    },
    trainer: async (backend, values, options) => {
      const loss = resolveLanguageModelLoss(gate, options.loss)
      const [{ openTrainer }] = await Promise.all([import('../gates/training.js'), loadMechanisms(gate)])
      const {
        formGraph: _,
        prepareForm,
        ...loop
      } = openTrainer<LanguageModelBatch, LanguageModelStep>(
        {
          specs: params,
          read: (batch) => losses(batch, loss),
          show: (results) => ({
            loss: async () => (await results.read('loss')).data[0] as number,
            tokenLoss: () => results.read('token_loss'),
            predictionLoss: async () => (await results.read('prediction_loss')).data[0] as number,
          }),
        },
        backend,
        values,
        options,
      )
      return { ...loop, prepare: (form) => prepareForm(lossForm(form, loss)) }
    },
    release: (backend) => programs.clear(backend),
  }
}

/** @throws FEP_BAD_FEED unless `t` holds int32 tokens of the vocabulary, of that rank */
function checkIds(name: string, t: Tensor, vocabulary: number, rank: number): void {
  if (t?.dtype !== 'int32' || t.shape?.length !== rank)
    throw new FepError(
      'FEP_BAD_FEED',
      `${name} is ${t?.dtype ?? typeof t}(${t?.shape?.join(', ') ?? ''}); expected int32${rank === 2 ? '(batch, time)' : '(batch)'}`,
    )
  for (let i = 0; i < t.data.length; i++) {
    const id = t.data[i] as number
    if (id < 0 || id >= vocabulary)
      throw new FepError('FEP_BAD_FEED', `${name}[${i}] is ${show(id)}; accepted: 0..${vocabulary - 1}`)
  }
}

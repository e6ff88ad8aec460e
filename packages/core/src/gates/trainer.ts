/** Training of a gate: its batches, its losses, its results. */
import type { Backend, Feed, Program } from '../backend/contract.js'
import { FepError, show } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { type Tensor, transpose } from '../tensor.js'
import type { LossResult } from '../training/step-result.js'
import {
  type LossForm,
  type OptimizationOptions,
  openTrainer,
  type TrainingLoop,
} from '../training/trainer.js'
import type { ResolvedGateConfig } from './config.js'
import { precisionFeed } from './edge.js'
import type { Layout } from './feeds.js'
import { lossGraph } from './loss.js'
import { type LossConfig, type ResolvedLoss, resolveLoss, scoredSteps } from './loss-config.js'
import type { ParameterSpec, Params } from './parameters.js'
import type { PrecisionState } from './precision.js'
import { gateStates } from './state.js'
import { checkState, type GateState, STATE } from './state-feeds.js'

/** Options of `gate.trainer`. */
export interface TrainerOptions extends OptimizationOptions {
  /** Default: cross-entropy on logits, mean over tokens. */
  readonly loss?: LossConfig | 'cross-entropy' | 'mse'
  /** Layout of every batch; `feature-major` (d,T,B) saves the transposes. Default `batch-major`. */
  readonly layout?: Layout
}

/**
 * One training batch. T' = T, or T−1 where the loss drops the last step; 1 where it is on the last step alone. Shapes for
 * `batch-major`.
 */
export interface TrainingBatch {
  /** (B,T,d) float32; feature-major (d,T,B). */
  readonly x: Tensor
  /** int32 (B,T'), or float32 (B,T',E) for `mse`; feature-major (T',B) and (E,T',B). One column more than T' is cut off. */
  readonly targets: Tensor
  /** float32 (B,T'): weight of each step; feature-major (T',B). */
  readonly mask?: Tensor
  /** bool (B,T): a new document starts here; feature-major (T,B). */
  readonly reset?: Tensor
  /** Π (E), or (B,T,E) (feature-major (E,T,B)), or a tracker's state; default: the tracker's initial state. */
  readonly precision?: Tensor | PrecisionState
  /** (B,T,E), or feature-major (E,T,B): as in routing. */
  readonly feedback?: Tensor
  /**
   * What sequences carry into the batch, as a stream's snapshot has it: windows of one long sequence, truncated back-propagation.
   * No gradient passes. Default: they begin with the batch, and the step returns no state.
   */
  readonly state?: GateState
}

/** Which optional feeds a batch has; each combination is a program of its own. */
export interface BatchForm {
  readonly mask?: boolean
  readonly reset?: boolean
  readonly state?: boolean
}

/** Results of one step of a gate. @throws FEP_DISPOSED from every method once a later step is done */
export interface StepResult extends LossResult {
  /** Logits of the scored steps (B,T',E), Π included, before the update. */
  logits(): Promise<Tensor>
  /** The same as the trainer's program has them: (E,T',B), without a transpose. */
  featureMajorLogits(): Promise<Tensor>
  /** What sequences carry after the last routed step, with parameters before the update: `state` of the next window. @throws FEP_BAD_ARGUMENT where the batch had none */
  state(): Promise<GateState>
}

/** A running training of a gate. */
export interface Trainer extends TrainingLoop<TrainingBatch, StepResult> {
  /** The graph behind `step` for sequences of T, for profiling and export. */
  stepGraph(steps: number, form?: BatchForm): Graph
  /** Compiles that graph ahead of the first step. */
  prepare(steps: number, form?: BatchForm): Promise<Program>
}

/** @internal */
export async function createTrainer(
  config: ResolvedGateConfig,
  specs: readonly ParameterSpec[],
  backend: Backend,
  initial: Params,
  options: TrainerOptions,
): Promise<Trainer> {
  const { layout = 'batch-major' } = options
  if (layout !== 'batch-major' && layout !== 'feature-major') {
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.layout is ${show(layout)}; accepted: 'batch-major', 'feature-major'`,
    )
  }
  const loss = resolveLoss(config, options.loss)
  const formOf = (
    steps: number,
    { mask = false, reset = false, state = false }: BatchForm = {},
  ): LossForm => ({
    key: `${steps}/${mask}/${reset}/${state}`,
    graph: () => lossGraph(config, { steps, layout, loss, mask, reset, state }),
  })
  const read = (batch: TrainingBatch) => {
    const { steps, given, feeds } = readBatch(config, loss, layout, batch)
    return { form: formOf(steps, given), feeds }
  }
  const { formGraph, prepareForm, ...loop } = openTrainer<TrainingBatch, StepResult>(
    {
      specs,
      read,
      show: (results) => ({
        loss: async () => (await results.read('loss')).data[0] as number,
        logits: async () => transpose(await results.read('logits'), [2, 1, 0]),
        featureMajorLogits: () => results.read('logits'),
        state: async () =>
          Object.fromEntries(
            await Promise.all(
              gateStates(config).map(async ({ name }) => [name, await results.read(STATE + name)] as const),
            ),
          ),
      }),
    },
    backend,
    initial,
    options,
  )
  return {
    ...loop,
    stepGraph: (steps, form) => formGraph(formOf(steps, form)),
    prepare: (steps, form) => prepareForm(formOf(steps, form)),
  }
}

/** @internal Length, optional feeds and feeds of a batch. @throws FEP_BAD_FEED */
export function readBatch(
  config: ResolvedGateConfig,
  loss: ResolvedLoss,
  layout: Layout,
  batch: TrainingBatch,
): { steps: number; given: BatchForm; feeds: Record<string, Feed> } {
  const shape = batch.x?.shape
  const steps = shape?.[1]
  if (typeof steps !== 'number' || shape.length !== 3) {
    const expected = layout === 'batch-major' ? '(batch, time, dim)' : '(dim, time, batch)'
    throw new FepError('FEP_BAD_FEED', `batch.x has shape (${shape?.join(', ')}); expected ${expected}`)
  }
  const scored = scoredSteps(steps, loss)
  const [first, , third] = shape as [number, number, number]
  const tokens: [number, number] = layout === 'batch-major' ? [first, steps] : [steps, third]
  const feeds: Record<string, Feed> = {
    x: batch.x,
    targets: cutColumns(batch.targets, scored, layout),
    ...precisionFeed(config, batch.precision, tokens, layout, batch.feedback),
  }
  if (batch.mask) feeds.mask = cutColumns(batch.mask, scored, layout)
  if (batch.reset) feeds.reset = batch.reset
  if (batch.state) {
    checkState(config, batch.state, layout === 'batch-major' ? first : third)
    for (const [name, t] of Object.entries(batch.state)) feeds[STATE + name] = t
  }
  const given = {
    mask: batch.mask !== undefined,
    reset: batch.reset !== undefined,
    state: batch.state !== undefined,
  }
  return { steps, given, feeds }
}

/** @internal Drops the one column that has no successor, where a caller passes all T. */
export function cutColumns(t: Tensor, steps: number, layout: Layout): Tensor {
  const axis = layout === 'batch-major' || t.shape.length === 3 ? 1 : 0
  if (t.shape?.[axis] !== steps + 1) return t
  const outer = countOf(t.shape.slice(0, axis))
  const inner = countOf(t.shape.slice(axis + 1))
  const data = t.data.slice(0, outer * steps * inner)
  for (let o = 0; o < outer; o++)
    data.set(
      t.data.subarray(o * (steps + 1) * inner, (o * (steps + 1) + steps) * inner) as Float32Array,
      o * steps * inner,
    )
  return { dtype: t.dtype, shape: t.shape.map((d, i) => (i === axis ? steps : d)), data }
}

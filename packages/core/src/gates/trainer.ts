/**
 * Training on a backend. Parameters and optimizer state are one packed vector each and stay in the backend's tensors
 * between steps. `step` is one program; `accumulate` and `apply` are its two halves for micro-batches.
 */
import type { Backend, DeviceTensor, Feed, Fetches, Program } from '../backend/contract.js'
import { HeldTensors } from '../backend/held-tensors.js'
import { toHost } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { serialQueue } from '../backend/queue.js'
import { FepError, show } from '../errors.js'
import { countOf } from '../graph/shape.js'
import type { Graph } from '../graph/types.js'
import { stateName } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { packedSlots } from '../optim/pack.js'
import { full, type Tensor, zeros } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import { precisionFeed } from './edge.js'
import type { Layout } from './feeds.js'
import { type LossConfig, resolveLoss, scoredSteps } from './loss-config.js'
import { checkParams, type ParameterSpec, type Params } from './parameters.js'
import type { PrecisionState } from './precision.js'
import { type HeldResult, holdResult, type StepResult } from './step-result.js'
import { accumulateGraph, applyGraph, PACKED, stepGraph, TOTAL } from './training-graphs.js'

/** Options of `gate.trainer`. */
export interface TrainerOptions {
  readonly optimizer: Optimizer
  /** Default: cross-entropy on logits, mean over tokens. */
  readonly loss?: LossConfig | 'cross-entropy' | 'mse'
  /** Layout of every batch; `feature-major` (d,T,B) saves the transposes. Default `batch-major`. */
  readonly layout?: Layout
}

/** One training batch. T' = T, or T−1 where the loss drops the last step. Shapes for `batch-major`. */
export interface TrainingBatch {
  /** (B,T,d) float32; feature-major (d,T,B). */
  readonly x: Tensor
  /** int32 (B,T'), or float32 (B,T',E) for `mse`; feature-major (T',B) and (E,T',B). One column more than T' is cut off. */
  readonly targets: Tensor
  /** float32 (B,T'): weight of each step; feature-major (T',B). */
  readonly mask?: Tensor
  /** bool (B,T): a new document starts here; feature-major (T,B). */
  readonly reset?: Tensor
  /** Π (E) or a tracker's state; default: the tracker's initial state. */
  readonly precision?: Tensor | PrecisionState
}

/** Which optional feeds a batch has; each combination is a program of its own. */
export interface BatchForm {
  readonly mask?: boolean
  readonly reset?: boolean
}

/** A running training. */
export interface Trainer {
  /** accumulate(batch) + apply(), in one program. @throws FEP_BAD_FEED, FEP_DISPOSED */
  step(batch: TrainingBatch, options?: { readonly lr?: number }): Promise<StepResult>
  /** Adds a micro-batch's gradient to the running mean. */
  accumulate(batch: TrainingBatch): Promise<StepResult>
  /** Updates parameters with the mean of the accumulated gradients. @throws FEP_UNSUPPORTED where there is none */
  apply(options?: { readonly lr?: number }): Promise<void>
  /** Copies the parameters to the host. */
  params(): Promise<Params>
  /** The graph behind `step` for sequences of T, for profiling and export. */
  stepGraph(steps: number, form?: BatchForm): Graph
  /** Compiles that graph ahead of the first step. */
  prepare(steps: number, form?: BatchForm): Promise<Program>
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** @internal */
export async function createTrainer(
  config: ResolvedGateConfig,
  specs: readonly ParameterSpec[],
  backend: Backend,
  initial: Params,
  options: TrainerOptions,
): Promise<Trainer> {
  checkParams(specs, initial)
  const { optimizer, layout = 'batch-major' } = options
  if (typeof optimizer?.update !== 'function') {
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.optimizer is ${show(optimizer)}; accepted: adam({ lr }), sgd({ lr })`,
    )
  }
  if (layout !== 'batch-major' && layout !== 'feature-major') {
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.layout is ${show(layout)}; accepted: 'batch-major', 'feature-major'`,
    )
  }
  const loss = resolveLoss(config, options.loss)
  const names = specs.map((s) => s.name)
  const slots = packedSlots(specs)
  const total = slots.at(-1)?.end ?? 0
  const programs = new ProgramCache()
  const queue = serialQueue()
  const rate = rateFeeds()
  const state = optimizer.state.map((s) => ({
    name: stateName(optimizer, s.name, PACKED),
    shape: s.shape === 'scalar' ? [] : [total],
  }))
  const carried = [PACKED, ...state.map((s) => s.name)]
  const held = new HeldTensors({
    [PACKED]: packed(slots, initial, total),
    ...Object.fromEntries(state.map(({ name, shape }) => [name, zeros(shape)])),
  })
  let pending = 0
  let disposed = false
  const use = () => {
    if (disposed) throw new FepError('FEP_DISPOSED', 'this trainer was disposed; create a new one')
  }
  const formOf = (steps: number, form: BatchForm) => ({
    steps,
    layout,
    loss,
    mask: form.mask ?? false,
    reset: form.reset ?? false,
  })
  const graphOf = (steps: number, form: BatchForm = {}) =>
    stepGraph(config, formOf(steps, form), names, optimizer)
  const programOf = (kind: 'step' | 'accumulate', steps: number, form: BatchForm): Promise<Program> =>
    programs.get(backend, `${kind}/${steps}/${form.mask ?? false}/${form.reset ?? false}`, () =>
      kind === 'step' ? graphOf(steps, form) : accumulateGraph(config, formOf(steps, form), names),
    )
  const withHeld = (feeds: Record<string, Feed>, from: readonly string[]): Record<string, Feed> => {
    for (const name of from) feeds[name] = held.get(name) as Feed
    return feeds
  }
  const keep = (fetched: Readonly<Record<string, DeviceTensor>>, from: readonly string[]) => {
    for (const name of from) held.set(name, fetched[name] as DeviceTensor)
  }
  const feedsOf = (batch: TrainingBatch): { steps: number; form: BatchForm; feeds: Record<string, Feed> } => {
    const steps = batch.x?.shape?.[1]
    if (typeof steps !== 'number' || batch.x.shape.length !== 3) {
      const expected = layout === 'batch-major' ? '(batch, time, dim)' : '(dim, time, batch)'
      throw new FepError(
        'FEP_BAD_FEED',
        `batch.x has shape (${batch.x?.shape?.join(', ')}); expected ${expected}`,
      )
    }
    const scored = scoredSteps(steps, loss)
    const feeds: Record<string, Feed> = {
      x: batch.x,
      targets: cutColumns(batch.targets, scored, layout),
      ...precisionFeed(config, batch.precision),
    }
    if (batch.mask) feeds.mask = cutColumns(batch.mask, scored, layout)
    if (batch.reset) feeds.reset = batch.reset
    return { steps, form: { mask: batch.mask !== undefined, reset: batch.reset !== undefined }, feeds }
  }
  let latest: HeldResult | undefined
  const keepResult = (fetched: Fetches): StepResult => {
    latest?.release()
    latest = holdResult(fetched)
    return latest.result
  }
  const dispose = async () => {
    if (disposed) return
    disposed = true
    await queue.idle()
    held.clear()
    latest?.release()
    await programs.clear(backend)
  }
  return {
    step: async (batch, { lr = optimizer.lr } = {}) => {
      use()
      const { steps, form, feeds } = feedsOf(batch)
      feeds.lr = rate(lr)
      return queue(async () => {
        const program = await programOf('step', steps, form)
        const fetched = await program.run(withHeld(feeds, carried))
        keep(fetched, carried)
        return keepResult(fetched)
      })
    },
    accumulate: async (batch) => {
      use()
      const { steps, form, feeds } = feedsOf(batch)
      return queue(async () => {
        const program = await programOf('accumulate', steps, form)
        if (!held.get(TOTAL)) held.set(TOTAL, zeros([total]))
        const fetched = await program.run(withHeld(feeds, [PACKED, TOTAL]))
        keep(fetched, [TOTAL])
        pending++
        return keepResult(fetched)
      })
    },
    apply: async ({ lr = optimizer.lr } = {}) => {
      use()
      const feeds: Record<string, Feed> = { lr: rate(lr) }
      await queue(async () => {
        if (pending === 0)
          throw new FepError('FEP_UNSUPPORTED', 'apply: no gradient was accumulated since the last apply')
        const program = await programs.get(backend, 'apply', () => applyGraph(optimizer, total))
        feeds.count = full([], pending)
        keep(await program.run(withHeld(feeds, [...carried, TOTAL])), carried)
        held.clear(TOTAL)
        pending = 0
      })
    },
    params: async () => {
      use()
      return queue(async () => {
        const { data } = await toHost(held.get(PACKED) as Feed)
        const part = (start: number, end: number) => data.slice(start, end) as Tensor['data']
        return Object.fromEntries(
          slots.map(({ name, shape, start, end }) => [
            name,
            { dtype: 'float32' as const, shape, data: part(start, end) },
          ]),
        )
      })
    },
    stepGraph: graphOf,
    prepare: (steps, form = {}) => programOf('step', steps, form),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** All parameters in one vector. */
function packed(slots: ReturnType<typeof packedSlots>, params: Params, total: number): Tensor {
  const data = new Float32Array(total)
  for (const { name, start } of slots) data.set((params[name] as Tensor).data as Float32Array, start)
  return { dtype: 'float32', shape: [total], data }
}

/** Feeds of learning rates; a constant rate is one tensor. */
function rateFeeds(): (lr: number) => Tensor {
  let last: Tensor | undefined
  return (lr) => {
    if (!Number.isFinite(lr) || lr < 0)
      throw new FepError('FEP_BAD_ARGUMENT', `lr is ${show(lr)}; accepted: a finite number >= 0`)
    if (!last || last.data[0] !== Math.fround(lr)) last = full([], lr)
    return last
  }
}

/** Drops the one column that has no successor, where a caller passes all T. */
function cutColumns(t: Tensor, steps: number, layout: Layout): Tensor {
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

/**
 * Training on a backend. Parameters and optimizer state are one packed vector each and stay in the backend's tensors
 * between steps. `step` is one program; `accumulate` and `apply` are its two halves for micro-batches.
 */
import * as v from 'valibot'
import { gradients } from '../autodiff/gradients.js'
import type { Backend, DeviceTensor, Feed, Feeds, Program } from '../backend/contract.js'
import { toHost } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { FepError, show } from '../errors.js'
import { extendGraph, GraphBuilder, type Value } from '../graph/builder.js'
import { add, div } from '../graph/expressions.js'
import type { Graph } from '../graph/types.js'
import { applyOptimizer, stateName, updateParameter } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { packedSlots, packInputs } from '../optim/pack.js'
import { optimize } from '../passes/optimize.js'
import { nonNegative, parse } from '../schema.js'
import { full, type Tensor, transpose, zeros } from '../tensor.js'
import type { ResolvedGateConfig } from './config.js'
import { precisionFeed } from './edge.js'
import { type Layout, type LossConfig, lossGraph, type ResolvedLoss, scoredSteps } from './forms.js'
import { checkParams, type ParameterSpec, type Params } from './parameters.js'
import type { PrecisionState } from './precision.js'

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

/** Results of one step, read on demand; valid until the trainer is disposed. */
export interface StepResult {
  /** The loss before the update. */
  loss(): Promise<number>
  /** Logits of the routed steps (B,T',E), Π included, before the update. */
  logits(): Promise<Tensor>
  /** The same as the trainer's program has them: (E,T',B), without a transpose. */
  featureMajorLogits(): Promise<Tensor>
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
  /** Programs behind `step`, for profiling and export: T → graph. */
  stepGraph(steps: number, options?: { readonly mask?: boolean; readonly reset?: boolean }): Graph
  /** Compiles the step program ahead of the first step. */
  prepare(steps: number, options?: { readonly mask?: boolean; readonly reset?: boolean }): Promise<Program>
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const lossSchema = v.strictObject({
  kind: v.picklist(['cross-entropy', 'mse']),
  on: v.optional(v.picklist(['logits', 'weights'])),
  time: v.optional(v.picklist(['sum', 'mean'])),
  predictionTime: v.optional(v.picklist(['sum', 'mean'])),
  predictionWeight: v.optional(nonNegative),
  lastStep: v.optional(v.picklist(['keep', 'drop'])),
})

/** Fills in a loss. @throws FEP_BAD_CONFIG */
export function resolveLoss(
  config: ResolvedGateConfig,
  loss: TrainerOptions['loss'] = 'cross-entropy',
): ResolvedLoss {
  const given = parse(lossSchema, typeof loss === 'string' ? { kind: loss } : loss, 'loss')
  const time = given.time ?? 'mean'
  const oracle = config.router === 'oracle'
  if (oracle && given.lastStep === 'keep')
    throw new FepError(
      'FEP_BAD_CONFIG',
      "loss.lastStep is 'keep'; an oracle has nothing to look at in the last step: 'drop'",
    )
  return {
    kind: given.kind,
    on: given.on ?? 'logits',
    time,
    predictionTime: given.predictionTime ?? time,
    predictionWeight: given.predictionWeight ?? config.anticipation?.lossWeight ?? 0,
    lastStep: given.lastStep ?? (oracle ? 'drop' : 'keep'),
  }
}

const PACKED = 'params'
const TOTAL = 'gradients'

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
  if (typeof optimizer?.update !== 'function')
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.optimizer is ${show(optimizer)}; accepted: adam({ lr }), sgd({ lr })`,
    )
  if (layout !== 'batch-major' && layout !== 'feature-major')
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.layout is ${show(layout)}; accepted: 'batch-major', 'feature-major'`,
    )
  const loss = resolveLoss(config, options.loss)
  const names = specs.map((s) => s.name)
  const slots = packedSlots(specs)
  const total = slots.at(-1)?.end ?? 0
  const programs = new ProgramCache()
  const stateNames = optimizer.state.map((s) => stateName(optimizer, s.name, PACKED))

  // What lives between steps. Host tensors at first, then whatever the backend returns.
  const packed = new Float32Array(total)
  for (const { name, start } of slots) packed.set((initial[name] as Tensor).data as Float32Array, start)
  const held: Record<string, Feed> = { [PACKED]: { dtype: 'float32', shape: [total], data: packed } }
  optimizer.state.forEach((s, i) => {
    held[stateNames[i] as string] = zeros(s.shape === 'scalar' ? [] : [total])
  })
  let pending = 0
  let disposed = false
  const rates = new Map<number, Tensor>()
  const rate = (lr: number): Tensor => {
    if (!Number.isFinite(lr) || lr < 0)
      throw new FepError('FEP_BAD_ARGUMENT', `lr is ${show(lr)}; accepted: a finite number >= 0`)
    const known = rates.get(lr) ?? full([], lr)
    if (rates.size < 64) rates.set(lr, known)
    return known
  }
  const use = () => {
    if (disposed) throw new FepError('FEP_DISPOSED', 'this trainer was disposed; create a new one')
  }
  const keep = (name: string, value: DeviceTensor) => {
    const old = held[name]
    held[name] = value
    if (old && 'dispose' in old) (old as DeviceTensor).dispose()
  }
  // Steps queue: the second of two concurrent calls must see the parameters that the first one leaves.
  let tail: Promise<unknown> = Promise.resolve()
  const enqueue = <T>(body: () => Promise<T>): Promise<T> => {
    const result = tail.then(body)
    tail = result.catch(() => undefined)
    return result
  }

  const gradientGraph = (steps: number, form: { mask?: boolean; reset?: boolean }): Graph =>
    packInputs(
      gradients(
        lossGraph(config, { steps, layout, loss, mask: form.mask ?? false, reset: form.reset ?? false }),
        { of: 'loss', wrt: names },
      ),
      names,
      PACKED,
    )
  const stepGraph = (steps: number, form: { mask?: boolean; reset?: boolean } = {}) =>
    optimize(applyOptimizer(gradientGraph(steps, form), optimizer, [PACKED]))
  const program = (kind: 'step' | 'accumulate', steps: number, form: { mask?: boolean; reset?: boolean }) =>
    programs.get(backend, `${kind}/${steps}/${form.mask ?? false}/${form.reset ?? false}`, () =>
      kind === 'step' ? stepGraph(steps, form) : optimize(accumulating(gradientGraph(steps, form))),
    )

  const feedsOf = (
    batch: TrainingBatch,
  ): { steps: number; form: { mask: boolean; reset: boolean }; feeds: Record<string, Feed> } => {
    const timeAxis = 1
    const steps = batch.x?.shape?.[timeAxis]
    if (typeof steps !== 'number' || batch.x.shape.length !== 3)
      throw new FepError(
        'FEP_BAD_FEED',
        `batch.x has shape (${batch.x?.shape?.join(', ')}); expected ${layout === 'batch-major' ? '(batch, time, dim)' : '(dim, time, batch)'}`,
      )
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
  const resultOf = (fetched: Readonly<Record<string, DeviceTensor>>): StepResult => {
    const logits = fetched.logits as DeviceTensor
    return {
      loss: async () => (await (fetched.loss as DeviceTensor).read())[0] as number,
      logits: async () => transpose(await toHost(logits), [2, 1, 0]),
      featureMajorLogits: () => toHost(logits),
    }
  }

  const dispose = async () => {
    if (disposed) return
    disposed = true
    await tail
    for (const t of Object.values(held)) if ('dispose' in t) (t as DeviceTensor).dispose()
    await programs.clear(backend)
  }
  return {
    step: async (batch, { lr = optimizer.lr } = {}) => {
      use()
      const { steps, form, feeds } = feedsOf(batch)
      const rateFeed = rate(lr)
      return enqueue(async () => {
        const run = await program('step', steps, form)
        feeds.lr = rateFeed
        for (const name of [PACKED, ...stateNames]) feeds[name] = held[name] as Feed
        const fetched = await run.run(feeds as Feeds)
        for (const name of [PACKED, ...stateNames]) keep(name, fetched[name] as DeviceTensor)
        return resultOf(fetched)
      })
    },
    accumulate: async (batch) => {
      use()
      const { steps, form, feeds } = feedsOf(batch)
      return enqueue(async () => {
        const run = await program('accumulate', steps, form)
        const fetched = await run.run({
          ...feeds,
          [PACKED]: held[PACKED] as Feed,
          [TOTAL]: held[TOTAL] ?? zeros([total]),
        })
        keep(TOTAL, fetched[TOTAL] as DeviceTensor)
        pending++
        return resultOf(fetched)
      })
    },
    apply: async ({ lr = optimizer.lr } = {}) => {
      use()
      const rateFeed = rate(lr)
      await enqueue(async () => {
        if (pending === 0)
          throw new FepError('FEP_UNSUPPORTED', 'apply: no gradient was accumulated since the last apply')
        const run = await programs.get(backend, 'apply', () => applyGraph(optimizer, total))
        const feeds: Record<string, Feed> = {
          lr: rateFeed,
          count: full([], pending),
          [TOTAL]: held[TOTAL] as Feed,
        }
        for (const name of [PACKED, ...stateNames]) feeds[name] = held[name] as Feed
        const fetched = await run.run(feeds)
        for (const name of [PACKED, ...stateNames]) keep(name, fetched[name] as DeviceTensor)
        const spent = held[TOTAL]
        if (spent && 'dispose' in spent) (spent as DeviceTensor).dispose()
        delete held[TOTAL]
        pending = 0
      })
    },
    params: async () => {
      use()
      return enqueue(async () => {
        const { data } = await toHost(held[PACKED] as Feed)
        return Object.fromEntries(
          slots.map(({ name, shape, start, end }) => [
            name,
            { dtype: 'float32', shape, data: data.slice(start, end) as Float32Array } satisfies Tensor,
          ]),
        )
      })
    },
    stepGraph,
    prepare: (steps, form = {}) => program('step', steps, form),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** Adds `gradients` in and `gradients` out: total + gradient of this micro-batch. */
function accumulating(graph: Graph): Graph {
  const { builder, values } = extendGraph(graph, { outputs: false })
  for (const { name, value } of graph.outputs) {
    const result = values.get(value) as Value
    if (name !== `grad/${PACKED}`) builder.output(name, result)
    else builder.output(TOTAL, add(builder.input(TOTAL, 'float32', result.shape), result))
  }
  return builder.build()
}

/** The optimizer alone, on the mean of `count` accumulated gradients. */
function applyGraph(optimizer: Optimizer, total: number): Graph {
  const builder = new GraphBuilder('apply')
  const param = builder.input(PACKED, 'float32', [total])
  const grad = div(builder.input(TOTAL, 'float32', [total]), builder.input('count', 'float32', []))
  updateParameter(builder, optimizer, { name: PACKED, param, grad, lr: builder.input('lr', 'float32', []) })
  return builder.build()
}

/** Drops the one column that has no successor, where a caller passes all T. */
function cutColumns(t: Tensor, steps: number, layout: Layout): Tensor {
  const axis = layout === 'batch-major' || t.shape.length === 3 ? 1 : 0
  if (t.shape?.[axis] !== steps + 1) return t
  const outer = t.shape.slice(0, axis).reduce((n, d) => n * d, 1)
  const inner = t.shape.slice(axis + 1).reduce((n, d) => n * d, 1)
  const data = t.data.slice(0, outer * steps * inner)
  for (let o = 0; o < outer; o++)
    data.set(
      t.data.subarray(o * (steps + 1) * inner, (o * (steps + 1) + steps) * inner) as Float32Array,
      o * steps * inner,
    )
  return { dtype: t.dtype, shape: t.shape.map((d, i) => (i === axis ? steps : d)), data }
}

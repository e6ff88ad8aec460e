/**
 * Training on a backend, of anything that has a loss graph. Parameters and optimizer state are one packed vector each and
 * stay in the backend's tensors between steps. `step` is one program; `accumulate` and `apply` are its two halves for
 * micro-batches.
 */
import type { Backend, Feed, Fetches, Program } from '../backend/contract.js'
import { HeldTensors } from '../backend/held-tensors.js'
import { toHost } from '../backend/host-tensor.js'
import { ProgramCache } from '../backend/program-cache.js'
import { serialQueue } from '../backend/queue.js'
import { FepError, show } from '../errors.js'
import { checkParams, type ParameterSpec, type Params } from '../gates/parameters.js'
import type { Graph } from '../graph/types.js'
import { stateName } from '../optim/apply-optimizer.js'
import type { Optimizer } from '../optim/optimizers.js'
import { type PackedSlot, packedSlots } from '../optim/pack.js'
import type { Schedule } from '../optim/schedules.js'
import { full, type Tensor, zeros } from '../tensor.js'
import { accumulateGraph, applyGraph, type CarriedState, PACKED, stepGraph, TOTAL } from './graphs.js'
import { checkTrainerState, type TrainerState } from './state.js'
import { type HeldResults, holdResults } from './step-result.js'

/** What every trainer is told. */
export interface OptimizationOptions {
  readonly optimizer: Optimizer
  /** Learning rate by the number of updates so far. Default: the optimizer's own, always. */
  readonly schedule?: Schedule
}

/** What every trainer does. */
export interface TrainingLoop<Batch, Result> {
  /**
   * accumulate(batch) + apply(), in one program.
   * @param options `lr` for this step; default: the schedule's, else the optimizer's
   * @throws FEP_BAD_FEED, FEP_DISPOSED
   */
  step(batch: Batch, options?: { readonly lr?: number }): Promise<Result>
  /** Adds a micro-batch's gradient to the running mean. */
  accumulate(batch: Batch): Promise<Result>
  /** Updates parameters with the mean of the accumulated gradients. @throws FEP_UNSUPPORTED where there is none */
  apply(options?: { readonly lr?: number }): Promise<void>
  /** Copies the parameters to the host. */
  params(): Promise<Params>
  /**
   * Copies everything to the host that later steps depend on: parameters, optimizer state, accumulated gradients, number
   * of updates. What the caller keeps (position in the data, random streams, a precision tracker) is not in it.
   */
  checkpoint(): Promise<TrainerState>
  /**
   * Goes on from a checkpoint: later steps give the same bytes as those of the trainer that it was taken from, where
   * gate, optimizer and backend are the same. Wait for earlier steps first.
   * @throws FEP_BAD_PARAMS where it is of another gate or optimizer
   */
  restore(state: TrainerState): Promise<void>
  /** Frees programs, parameters and optimizer state, once runs under way are done. Idempotent. */
  dispose(): Promise<void>
  /** Disposes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A loss as a program: batches of one form share it. */
export interface LossForm {
  /** Names the form among the programs of a trainer. */
  readonly key: string
  /** Feeds: the parameters and what `read` gives. Results: `loss`, and what a result shows. */
  graph(): Graph
}

/** What is trained. */
export interface TrainingSubject<Batch, Result> {
  readonly specs: readonly ParameterSpec[]
  /** Checks a batch and says how it is fed. @throws FEP_BAD_FEED */
  read(batch: Batch): { readonly form: LossForm; readonly feeds: Record<string, Feed> }
  /** What a step returns. */
  show(results: HeldResults): Result
  /**
   * Looks at what a program returned before anything of it is kept. Another form means that its results are void: the batch
   * runs again in that one.
   */
  refit?(form: LossForm, fetched: Fetches): Promise<LossForm | undefined>
  /** State beside the parameters. */
  readonly carried?: CarriedState
}

/** A loop and its programs. */
export interface OpenTrainer<Batch, Result> extends TrainingLoop<Batch, Result> {
  /** The graph behind `step` for batches of a form, for profiling and export. */
  formGraph(form: LossForm): Graph
  /** Compiles that graph ahead of the first step. */
  prepareForm(form: LossForm): Promise<Program>
  /** Copies the carried state to the host, by feed name. */
  carriedState(): Promise<Readonly<Record<string, Tensor>>>
}

/**
 * Opens a training of whatever has parameters and a loss graph.
 * @param subject its parameters, how its batches are fed, and what a step shows
 * @param initial parameters to start from
 * @throws FEP_BAD_PARAMS, FEP_BAD_CONFIG
 * @example
 * const trainer = openTrainer({ specs, read: (batch) => ({ form, feeds: batch }), show: (found) => ({ loss: () => found.read('loss') }) }, backend, initial, { optimizer: adam({ lr: 3e-3 }) })
 */
export function openTrainer<Batch, Result>(
  { specs, read, show: present, carried: beside, refit }: TrainingSubject<Batch, Result>,
  backend: Backend,
  initial: Params,
  { optimizer, schedule }: OptimizationOptions,
): OpenTrainer<Batch, Result> {
  checkParams(specs, initial)
  if (typeof optimizer?.update !== 'function') {
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.optimizer is ${show(optimizer)}; accepted: adam({ lr }), adamW({ lr }), sgd({ lr })`,
    )
  }
  if (schedule !== undefined && typeof schedule !== 'function') {
    throw new FepError(
      'FEP_BAD_CONFIG',
      `trainer.schedule is ${show(schedule)}; accepted: a function from the number of updates to a learning rate`,
    )
  }
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
  const besides = Object.keys(beside?.initial ?? {})
  const carried = [PACKED, ...state.map((s) => s.name), ...besides]
  const held = new HeldTensors({
    [PACKED]: packed(slots, initial, total),
    ...Object.fromEntries(state.map(({ name, shape }) => [name, zeros(shape)])),
    ...beside?.initial,
  })
  let pending = 0
  let updates = 0
  // Updates whose results are held: steps that were called but wait for their turn are only in `updates`.
  let done = 0
  let disposed = false
  const use = () => {
    if (disposed) throw new FepError('FEP_DISPOSED', 'this trainer was disposed; create a new one')
  }
  const nextRate = (lr: number | undefined): Tensor => rate(lr ?? schedule?.(updates) ?? optimizer.lr)
  const graphOf = (form: LossForm) => stepGraph(form.graph(), names, optimizer, beside)
  const programOf = (kind: 'step' | 'accumulate', form: LossForm): Promise<Program> =>
    programs.get(backend, `${kind}/${form.key}`, () =>
      kind === 'step' ? graphOf(form) : accumulateGraph(form.graph(), names),
    )
  const runFitting = async (kind: 'step' | 'accumulate', first: LossForm, feeds: Record<string, Feed>) => {
    for (let form = first; ; ) {
      const fetched = await (await programOf(kind, form)).run(feeds)
      const next = await refit?.(form, fetched)
      if (!next) return fetched
      for (const t of Object.values(fetched)) t.dispose()
      form = next
    }
  }
  const withHeld = (feeds: Record<string, Feed>, from: readonly string[]): Record<string, Feed> => {
    for (const name of from) feeds[name] = held.get(name) as Feed
    return feeds
  }
  const keep = (fetched: Fetches, from: readonly string[]) => {
    for (const name of from) held.set(name, fetched[name] as Feed)
  }
  let latest: HeldResults | undefined
  const keepResult = (fetched: Fetches, kept: readonly string[]): Result => {
    latest?.release()
    latest = holdResults(fetched, kept)
    return present(latest)
  }
  const heldCopies = async (from: readonly string[]): Promise<Readonly<Record<string, Tensor>>> => {
    const copies = from.map(async (name) => [name, await copyOf(held.get(name) as Feed)] as const)
    return Object.fromEntries(await Promise.all(copies))
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
    step: async (batch, { lr } = {}) => {
      use()
      const { form, feeds } = read(batch)
      feeds.lr = nextRate(lr)
      updates++
      return queue(async () => {
        const fetched = await runFitting('step', form, withHeld(feeds, carried))
        keep(fetched, carried)
        done++
        return keepResult(fetched, carried)
      })
    },
    accumulate: async (batch) => {
      use()
      const { form, feeds } = read(batch)
      return queue(async () => {
        if (!held.get(TOTAL)) held.set(TOTAL, zeros([total]))
        const added = [TOTAL, ...besides]
        const fetched = await runFitting('accumulate', form, withHeld(feeds, [PACKED, ...added]))
        keep(fetched, added)
        pending++
        return keepResult(fetched, added)
      })
    },
    apply: async ({ lr } = {}) => {
      use()
      const feeds: Record<string, Feed> = { lr: nextRate(lr) }
      await queue(async () => {
        if (pending === 0)
          throw new FepError('FEP_UNSUPPORTED', 'apply: no gradient was accumulated since the last apply')
        const program = await programs.get(backend, 'apply', () => applyGraph(optimizer, total, beside))
        feeds.count = full([], pending)
        keep(await program.run(withHeld(feeds, [...carried, TOTAL])), carried)
        held.clear(TOTAL)
        pending = 0
        updates++
        done++
      })
    },
    params: async () => {
      use()
      return queue(async () => unpacked(slots, await copyOf(held.get(PACKED) as Feed)))
    },
    checkpoint: async () => {
      use()
      return queue(async () => {
        const copies = optimizer.state.map(
          async (s, i) =>
            [s.name, await copyOf(held.get((state[i] as { name: string }).name) as Feed)] as const,
        )
        return {
          params: unpacked(slots, await copyOf(held.get(PACKED) as Feed)),
          optimizer: optimizer.name,
          state: Object.fromEntries(await Promise.all(copies)),
          updates: done,
          ...(pending > 0 ? { gradients: await copyOf(held.get(TOTAL) as Feed) } : {}),
          pending,
          ...(besides.length > 0 ? { carried: await heldCopies(besides) } : {}),
        }
      })
    },
    restore: async (given) => {
      use()
      checkTrainerState(given, specs, optimizer, beside?.initial)
      return queue(async () => {
        held.set(PACKED, packed(slots, given.params, total))
        for (const [i, s] of optimizer.state.entries())
          held.set((state[i] as { name: string }).name, await copyOf(given.state[s.name] as Tensor))
        for (const name of besides) held.set(name, await copyOf(given.carried?.[name] as Tensor))
        if (given.gradients) held.set(TOTAL, await copyOf(given.gradients))
        else held.clear(TOTAL)
        pending = given.pending
        updates = given.updates
        done = given.updates
      })
    },
    carriedState: async () => {
      use()
      return queue(() => heldCopies(besides))
    },
    formGraph: graphOf,
    prepareForm: (form) => programOf('step', form),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

async function copyOf(t: Feed): Promise<Tensor> {
  const { dtype, shape, data } = await toHost(t)
  return { dtype, shape, data: data.slice() as Tensor['data'] }
}

/** Parameters out of their vector. */
function unpacked(slots: readonly PackedSlot[], { data }: Tensor): Params {
  return Object.fromEntries(
    slots.map(({ name, shape, start, end }) => [
      name,
      { dtype: 'float32' as const, shape, data: data.slice(start, end) as Tensor['data'] },
    ]),
  )
}

/** All parameters in one vector. */
function packed(slots: readonly PackedSlot[], params: Params, total: number): Tensor {
  // Doubles stay doubles: those of the float64 reference go on where they stopped.
  const double = slots.some(({ name }) => params[name]?.data instanceof Float64Array)
  const data = double ? new Float64Array(total) : new Float32Array(total)
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

/** Training of a gate with a policy: the gate's batches and losses, the policy's state carried beside the parameters. */
import type { Backend, Feed } from '../backend/contract.js'
import { FepError } from '../errors.js'
import { resolveLoss, routedSteps } from '../gates/loss-config.js'
import type { ParameterSpec, Params } from '../gates/parameters.js'
import { cutColumns, readBatch, type TrainerOptions, type TrainingBatch } from '../gates/trainer.js'
import { type Tensor, transpose } from '../tensor.js'
import type { LossResult } from '../training/step-result.js'
import { openTrainer, type TrainingLoop } from '../training/trainer.js'
import { carriedPolicy, checkShares, policyStateFrom, readsPerExpert } from './carried.js'
import { checkIds } from './fixed.js'
import { sparseLossGraph } from './gate-graphs.js'
import type { SparseGateModel } from './gate-model.js'
import { promisesOf } from './policy.js'
import type { PolicyState } from './state.js'

/** Options of a trainer of a gate with a policy. */
export type SparseTrainerOptions = Omit<TrainerOptions, 'layout'>

/** One training batch, batch-major. */
export interface SparseTrainingBatch extends Omit<TrainingBatch, 'state'> {
  /** bool (B,T): false for padding. It goes to no expert, counts in no load, no loss and no cutoff. */
  readonly valid?: Tensor
  /** Normal numbers (B,T',E), where token choice is noisy. */
  readonly noise?: Tensor
  /** Uniform numbers (B,T',E), for `random`. */
  readonly uniform?: Tensor
  /** int32 token ids (B,T'), for `hash`. */
  readonly ids?: Tensor
}

/** Results of one step. @throws FEP_DISPOSED from every method once a later step is done */
export interface SparseStepResult extends LossResult {
  /** Logits of the scored steps (B,T',E), before the update. */
  logits(): Promise<Tensor>
  /** Tokens of each expert. */
  load(): Promise<readonly number[]>
  /** Tokens that each expert dropped; zeros where capacity drops none. */
  dropped(): Promise<readonly number[]>
  /** Per expert 1 where capacity changed what its cutoff decided, else 0. */
  clamped(): Promise<readonly number[]>
}

/** A running training of a gate with a policy. `step` makes one update of the policy's state, `apply` too. */
export interface SparseTrainer extends TrainingLoop<SparseTrainingBatch, SparseStepResult> {
  /** Copies the policy's state to the host. */
  state(): Promise<PolicyState>
}

/** A mask of losses (B,T') without padding. */
function weightsOf(valid: Tensor, mask: Feed | undefined): Tensor {
  const given = mask && 'data' in mask ? (mask as Tensor).data : undefined
  const data = Float32Array.from(valid.data, (real, i) => (real ? ((given?.[i] as number) ?? 1) : 0))
  return { dtype: 'float32', shape: valid.shape, data }
}

/** @internal */
export async function createSparseTrainer(
  model: SparseGateModel,
  specs: readonly ParameterSpec[],
  backend: Backend,
  initial: Params,
  state: PolicyState,
  options: SparseTrainerOptions,
): Promise<SparseTrainer> {
  const { gate, policy } = model
  const carried = carriedPolicy(policy, state)
  const loss = resolveLoss(gate, options.loss)
  if (policy.kind === 'cosine-threshold' || loss.time === 'last')
    throw new FepError(
      'FEP_UNSUPPORTED',
      policy.kind === 'cosine-threshold'
        ? "select.kind 'cosine-threshold' has no loss on its scores; train it inside a layer"
        : "loss.time 'last' scores one step of a sequence, but a policy decides on all; accepted: 'mean', 'sum'",
    )
  const { boundInTraining } = promisesOf(policy)
  const read = (batch: SparseTrainingBatch) => {
    const { steps, given, feeds } = readBatch(gate, loss, 'batch-major', batch)
    const scored = routedSteps(steps, loss)
    const valid = batch.valid && cutColumns(batch.valid, scored, 'batch-major')
    const size = batch.x.shape[0] as number
    checkShares(policy, [size, scored], valid, true)
    if (valid) {
      feeds.valid = valid
      feeds.mask = weightsOf(valid, feeds.mask)
    }
    if (policy.kind === 'hash' && batch.ids) checkIds(policy, batch.ids)
    for (const name of ['noise', 'uniform', 'ids'] as const) {
      const t = batch[name]
      if (t) feeds[name] = cutColumns(t, scored, 'batch-major')
    }
    const form = { steps, ...given, mask: feeds.mask !== undefined, valid: valid !== undefined }
    const bound = boundInTraining ? { batch: size } : {}
    return {
      form: {
        key: JSON.stringify({ ...form, ...bound }),
        graph: () => sparseLossGraph(model, { ...form, ...bound, loss }),
      },
      feeds,
    }
  }
  const {
    formGraph: _,
    prepareForm: __,
    carriedState,
    ...loop
  } = openTrainer<SparseTrainingBatch, SparseStepResult>(
    {
      specs,
      read,
      show: (results) => {
        const { load, dropped, clamped } = readsPerExpert(policy, results)
        return {
          loss: async () => (await results.read('loss')).data[0] as number,
          logits: async () => transpose(await results.read('logits'), [2, 1, 0]),
          load,
          dropped,
          clamped,
        }
      },
      carried,
    },
    backend,
    initial,
    options,
  )
  return { ...loop, state: async () => policyStateFrom(await carriedState()) }
}

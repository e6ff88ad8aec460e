/** Training of a sparse layer: gate, policy and experts on a squared error, the policy's state carried beside the parameters. */
import type { Backend } from '../backend/contract.js'
import type { ParameterSpec, Params } from '../gates/parameters.js'
import { carriedPolicy, policyStateFrom, readsPerExpert } from '../policies/carried.js'
import type { PolicyState } from '../policies/state.js'
import type { Tensor } from '../tensor.js'
import type { LossResult } from '../training/step-result.js'
import {
  type LossForm,
  type OptimizationOptions,
  openTrainer,
  type TrainingLoop,
} from '../training/trainer.js'
import type { ResolvedMoeLayer } from './config.js'
import { keyOf, type MoeLayerCall, type MoeLayerInputs, missedRung, readCall } from './feeds.js'
import { moeLayerLossGraph } from './graph.js'
import { RowLadder } from './rows.js'

/** Options of a trainer of a layer. */
export type MoeLayerTrainerOptions = OptimizationOptions

/** One training batch. */
export interface MoeLayerBatch extends MoeLayerInputs {
  /** (B,T,d) float32. */
  readonly x: Tensor
  /** (B,T,d) float32: what y should be. Padding counts in no loss. */
  readonly targets: Tensor
  /** Normal numbers (B,T,E), where token choice is noisy. */
  readonly noise?: Tensor
}

/** Results of one step. @throws FEP_DISPOSED from every method once a later step is done */
export interface MoeLayerStep extends LossResult {
  /** The loss without router losses, before the update. */
  task(): Promise<number>
  /** Tokens of each expert. */
  load(): Promise<readonly number[]>
  /** Tokens that each expert dropped; zeros where capacity drops none. */
  dropped(): Promise<readonly number[]>
  /** Per expert 1 where capacity changed what its cutoff decided, else 0. */
  clamped(): Promise<readonly number[]>
  /**
   * Where the gate has precision: the mean squared error that each expert alone would have made on its tokens, 0 where it had
   * none. `tracker.update(state, errors, load)` tells the two apart. Zeros for other gates.
   */
  errors(): Promise<readonly number[]>
}

/** A running training of a layer. `step` makes one update of the policy's state, `apply` too. */
export interface MoeLayerTrainer extends TrainingLoop<MoeLayerBatch, MoeLayerStep> {
  /** Copies the policy's state to the host. */
  state(): Promise<PolicyState>
}

/** A loss for a number of rows. */
interface LayerForm extends LossForm {
  readonly call: MoeLayerCall
  readonly rows: number | undefined
}

/** @internal */
export async function createMoeLayerTrainer(
  model: ResolvedMoeLayer,
  specs: readonly ParameterSpec[],
  backend: Backend,
  initial: Params,
  state: PolicyState,
  options: MoeLayerTrainerOptions,
): Promise<MoeLayerTrainer> {
  const { policy, gate } = model
  const ladder = new RowLadder()
  const formOf = (call: MoeLayerCall): LayerForm => {
    const rows = ladder.rows(keyOf(call.form), call.bound)
    const form = { ...call.form, rows }
    return { key: keyOf(form), graph: () => moeLayerLossGraph(model, form), call, rows }
  }
  const {
    formGraph: _,
    prepareForm: __,
    carriedState,
    ...loop
  } = openTrainer<MoeLayerBatch, MoeLayerStep>(
    {
      specs,
      read: ({ x, targets, noise, ...inputs }) => {
        const call = readCall(model, x, inputs, true)
        const feeds = { ...call.feeds, targets, ...(noise && { noise }) }
        return { form: formOf(call), feeds }
      },
      refit: async (form, fetched) => {
        const { call, rows } = form as LayerForm
        return (await missedRung(ladder, call, rows, fetched)) === undefined ? undefined : formOf(call)
      },
      show: (results) => {
        const one = async (name: string) => (await results.read(name)).data[0] as number
        const { eachIf, load, dropped, clamped } = readsPerExpert(policy, results)
        return {
          loss: () => one('loss'),
          task: () => one('task'),
          load,
          dropped,
          clamped,
          errors: () => eachIf(gate.precision !== null, 'errors'),
        }
      },
      carried: carriedPolicy(policy, state),
    },
    backend,
    initial,
    options,
  )
  return { ...loop, state: async () => policyStateFrom(await carriedState()) }
}

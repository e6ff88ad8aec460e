/** What a trainer carries from step to step, and the check of what a user puts back. */
import { FepError, show } from '../errors.js'
import { checkParams, type ParameterSpec, type Params } from '../gates/parameters.js'
import { countOf } from '../graph/shape.js'
import type { Optimizer } from '../optim/optimizers.js'
import type { Tensor } from '../tensor.js'

/**
 * A training between two steps. Restored into a trainer of the same gate and optimizer, on the same backend, it goes on
 * with the same bytes as if it had never stopped.
 */
export interface TrainerState {
  /** By state-dict name. */
  readonly params: Params
  /** Name of the optimizer: `adam`, `adamW`, `sgd`. */
  readonly optimizer: string
  /** State of the optimizer by name (`m`, `v`), each for all parameters in state-dict order. */
  readonly state: Readonly<Record<string, Tensor>>
  /** Updates so far: what a schedule goes by. */
  readonly updates: number
  /** The sum of gradients that were accumulated since the last update, for all parameters; only where there are any. */
  readonly gradients?: Tensor
  /** How many micro-batches are in that sum. */
  readonly pending: number
  /** What is carried beside the parameters (cutoffs, loads), by feed name; only where there is any. */
  readonly carried?: Readonly<Record<string, Tensor>>
}

/** @internal @throws FEP_BAD_PARAMS unless the state is one of such a trainer */
export function checkTrainerState(
  given: TrainerState,
  specs: readonly ParameterSpec[],
  { name, state }: Optimizer,
  carried: Readonly<Record<string, Tensor>> = {},
): void {
  const refuse = (field: string, found: unknown, accepted: string): never => {
    throw new FepError('FEP_BAD_PARAMS', `state.${field} is ${show(found)}; accepted: ${accepted}`)
  }
  const count = (field: 'updates' | 'pending') => {
    if (!Number.isSafeInteger(given[field]) || given[field] < 0)
      refuse(field, given[field], 'an integer >= 0')
  }
  if (typeof given !== 'object' || given === null) refuse('trainer', given, 'what trainer.checkpoint() gave')
  checkParams(specs, given.params ?? {})
  if (given.optimizer !== name) refuse('optimizer', given.optimizer, `'${name}', as this trainer has it`)
  count('updates')
  count('pending')
  const total = specs.reduce((n, { shape }) => n + countOf(shape), 0)
  const vector = (field: string, t: Tensor | undefined, shape: readonly number[]) => {
    if (t?.dtype !== 'float32' || t.shape.join() !== shape.join() || t.data.length !== countOf(shape))
      refuse(field, t && `${t.dtype}(${t.shape.join(', ')})`, `float32(${shape.join(', ')})`)
  }
  for (const one of state)
    vector(`state.${one.name}`, given.state?.[one.name], one.shape === 'scalar' ? [] : [total])
  const extra = Object.keys(given.state ?? {}).find((key) => !state.some((one) => one.name === key))
  if (extra !== undefined) refuse('state', extra, state.map((one) => one.name).join(', ') || 'no state')
  for (const [key, { shape }] of Object.entries(carried))
    vector(`carried.${key}`, given.carried?.[key], shape)
  const beside = Object.keys(given.carried ?? {}).find((key) => !(key in carried))
  if (beside !== undefined) refuse('carried', beside, Object.keys(carried).join(', ') || 'nothing')
  if (given.pending > 0 !== (given.gradients !== undefined))
    refuse('pending', given.pending, 'the number of micro-batches in state.gradients')
  if (given.gradients) vector('gradients', given.gradients, [total])
}

/** What the scripts of "Expert Threshold routing" are configured with, as policies, and small tensors to compare with. */
import { type Tensor, tensor } from '@fep-moe/core'
import type { PolicyConfig, PolicyState, ThresholdWeights } from '@fep-moe/core/policies'
import type { Probe } from '../frame/probe.js'
import type { VectorEntry, Vectors } from './vectors.js'

/** Sizes and constants of a script. */
export interface Script {
  readonly B: number
  readonly T: number
  readonly d: number
  readonly g: number
  readonly e: number
  readonly E: number
  readonly shared: number
  readonly activation: string
  readonly policy: string
  readonly training: number
  readonly capacity_factor: number
  readonly alpha: number
  readonly updates: number
  readonly ema_start: number
  readonly routing_chunk_seqs: number
  readonly top_k: number
  readonly load_balance: string
  readonly deepseek_bias_lr: number
  readonly S: number
  readonly M: number
  readonly D: number
  readonly decay: number
  readonly threshold0: number
  readonly expert_dim: number
  readonly aux_loss_coef: number
  readonly threshold_warmup_steps: number
  readonly lr: number
  readonly adam_betas: readonly [number, number]
  readonly adam_eps: number
}

export const scriptOf = ({ config }: VectorEntry) => config as unknown as Script
export const int = (t: Tensor): Tensor => ({ ...t, dtype: 'int32', data: Int32Array.from(t.data) })
export const shaped = (t: Tensor, shape: readonly number[]): Tensor => ({ ...t, shape })
export const float = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor =>
  tensor(Float32Array.from(values), shape)
/** Slice `index` of the first axis. */
export function sliceAt(t: Tensor, index: number): Tensor {
  const width = t.data.length / (t.shape[0] as number)
  const data = t.data.slice(index * width, (index + 1) * width) as Tensor['data']
  return { ...t, shape: t.shape.slice(1), data }
}

/** The script's names of weights. */
const WEIGHTS: Readonly<Record<string, ThresholdWeights>> = {
  sigmoid: 'sigmoid',
  relu: 'relu',
  softmax_k: 'softmax-tokens',
  softmax_e: 'softmax-experts',
  softmax_e_shared_out: 'softmax-experts-shared-out',
}

/** The policy of a script of experts that choose. */
export function policyOf(c: Script): PolicyConfig {
  const common = {
    granularity: c.g,
    expansion: c.e,
    sharedExpert: c.shared === 1,
    decay: c.alpha,
    averageFrom: c.ema_start ?? 0,
    weights: WEIGHTS[c.activation ?? 'sigmoid'] as ThresholdWeights,
  }
  return c.policy === 'topk'
    ? { kind: 'expert-choice', ...common, pool: c.routing_chunk_seqs || null }
    : { kind: 'threshold', ...common, capacity: c.capacity_factor < 0 ? null : c.capacity_factor }
}

/** The state after `updates` updates, from the script's raw average. */
export function averagedState(
  state: PolicyState,
  { updates, alpha }: Script,
  raw: Tensor | undefined,
): PolicyState {
  return raw ? { ...state, cutoff: raw, correction: float([1 - alpha ** updates], []) } : state
}

/** A tensor that not every case has. */
export const optional = (v: Vectors, name: string) => (v.names('').includes(name) ? v.get(name) : undefined)
/** Compares with the tensor of that name, where the case has one. */
export const comparing = (v: Vectors, probe: Probe) => (name: string, got: Tensor) =>
  v.names('').includes(name)
    ? probe.compare(name, shaped(got, v.get(name).shape), v.get(name), v.tolerance(name))
    : Promise.resolve()

/** The policy of a script of tokens that choose; its balance loss without a coefficient. */
export function tokenChoice(c: Script): PolicyConfig {
  const balanced = c.load_balance === 'aux' || c.load_balance === 'aux_error'
  return {
    kind: 'token-choice',
    k: c.top_k,
    normalize: false,
    weights: c.activation === 'sigmoid' || c.activation === 'relu' ? c.activation : 'softmax',
    // The script has its anchor where there is no shared expert to take it.
    anchor: c.activation === 'softmax_e' && c.shared === 0,
    balance: balanced ? 1 : 0,
    balanceForm: c.load_balance === 'aux_error' ? 'error' : 'product',
    biasRate: c.deepseek_bias_lr ?? 0,
  }
}

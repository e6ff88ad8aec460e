/** Experts in another order, and results put back. */
import type { Gate, Params, Tensor } from '@fep-moe/core'

/** Parameters with a row per expert that only some gates have, or that others use otherwise. */
export const perExpertIn = ({ config, params }: Pick<Gate, 'config' | 'params'>): readonly string[] => [
  ...(config.memory?.kind === 'membrane' ? ['beta_raw'] : []),
  ...(config.belief ? ['readout'] : []),
  ...(config.clock?.affinity ? ['W_clock.weight'] : []),
  // The last layer of a network that anticipates a distribution, or logits.
  ...(config.anticipation?.kind === 'distribution' || config.anticipation?.kind === 'logits'
    ? params
        .map(({ name }) => name)
        .filter((name) => name.startsWith('predictor.'))
        .slice(-2)
    : []),
]

/** Experts in another order: rows of everything that has one row per expert. */
export function permuted(params: Params, order: readonly number[], others: readonly string[] = []): Params {
  const rows = (t: Tensor): Tensor => {
    const width = t.data.length / order.length
    const data = t.data.slice()
    order.forEach((from, to) => {
      data.set(t.data.subarray(from * width, (from + 1) * width) as Float32Array, to * width)
    })
    return { ...t, data: data as Tensor['data'] }
  }
  const perExpert = ['W.weight', 'W.bias', 'W_pred.weight', 'expert_prototypes', 'cutoff', 'bias', ...others]
  return Object.fromEntries(
    Object.entries(params).map(([name, t]) => [name, perExpert.includes(name) ? rows(t) : t]),
  )
}

/** The last axis put back: element `to` of the permuted result belongs to expert order[to]. */
export function restored(t: Tensor, order: readonly number[]): Tensor {
  const data = t.data.slice()
  for (let i = 0; i < data.length; i++)
    data[i - (i % order.length) + (order[i % order.length] as number)] = t.data[i] as number
  return { ...t, data: data as Tensor['data'] }
}

/** Experts on the last axis, in another order. */
export function reordered(t: Tensor, order: readonly number[]): Tensor {
  const from = (i: number) => i - (i % order.length) + (order[i % order.length] as number)
  return { ...t, data: t.data.map((_, i) => t.data[from(i)] as number) as Tensor['data'] }
}

/** An order of experts from any numbers. */
export function orderFrom(numbers: readonly number[], experts: number): number[] {
  const left = Array.from({ length: experts }, (_, i) => i)
  return numbers.slice(0, experts).flatMap((n) => left.splice(n % left.length, 1))
}

/**
 * When two forms of one gate agree: logits within 8 · T_eff · 2⁻²⁴ · max|logit| with T_eff = min(T, 1/(1 − max a)), the
 * steps over which the membrane remembers, and the same experts wherever the margin exceeds twice that. Where logits are
 * logarithms of a distribution, max|logit| is 1 at least.
 */
import type { Params, ResolvedGateConfig, Tensor } from '@fep-moe/core'
import { EXACT } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'

/** What is compared; any leading shape, experts or selected experts last. */
export interface Decisions {
  readonly logits: Tensor
  readonly weights: Tensor
  readonly indices: Tensor
  readonly margin: Tensor
  readonly next?: Tensor | undefined
}

/** The bound on logits. */
export function logitBound(
  gate: {
    readonly config: Pick<ResolvedGateConfig, 'memory' | 'anticipation' | 'belief' | 'clock' | 'precision'>
  },
  params: Params,
  steps: number,
  logits: Tensor,
): number {
  const { memory, belief, clock, precision } = gate.config
  const raw = params.beta_raw?.data
  const fixed = !memory
    ? [0]
    : 'beta' in memory
      ? memory.beta
      : memory.kind === 'probability'
        ? [memory.leak]
        : [1]
  const counts = belief || clock || precision?.scope === 'tracked'
  const decays = counts ? [1] : raw ? Array.from(raw, (z) => 1 / (1 + Math.exp(-z))) : fixed
  const effective = Math.min(steps, 1 / (1 - Math.max(...decays)))
  // Logarithms of a distribution: rounding it moves a logit that is near 0 by as much as one that is near −1.
  const least = gate.config.anticipation?.kind === 'distribution' ? 1 : 0
  return 8 * effective * 2 ** -24 * Math.max(least, ...Array.from(logits.data, Math.abs))
}

/** Compares under a bound on logits. */
export async function compareDecisions(
  probe: Probe,
  what: string,
  got: Decisions,
  want: Decisions,
  bound: number,
): Promise<void> {
  const within = (atol: number) => ({ atol, rtol: 0 })
  await probe.compare(`${what} logits`, got.logits, want.logits, within(bound))
  // A softmax moves no weight by more than twice what its logits moved, and rounds.
  const weightBound = within(2 * bound + 2 ** -20)
  const clear = Array.from(want.margin.data, (m) => m > 2 * bound)
  await probe.compare(
    `${what} weights`,
    keepClear(got.weights, want.weights, clear),
    want.weights,
    weightBound,
  )
  const chosen = (t: Tensor) => sortedRows(t, want.indices.shape.at(-1) as number)
  await probe.compare(
    `${what} indices`,
    keepClear(chosen(got.indices), chosen(want.indices), clear),
    chosen(want.indices),
    EXACT,
  )
  if (want.next && got.next) {
    // The gate is evaluated twice to get it.
    await probe.compare(`${what} next`, got.next, want.next, within(4 * bound + 2 ** -20))
  }
}

/** `got`, with the rows of `want` where the decision is too close to call. */
function keepClear(got: Tensor, want: Tensor, clear: readonly boolean[]): Tensor {
  const width = want.data.length / clear.length
  const data = got.data.slice()
  clear.forEach((isClear, row) => {
    if (!isClear) data.set(want.data.subarray(row * width, (row + 1) * width) as Float32Array, row * width)
  })
  return { ...got, data: data as Tensor['data'] }
}

/** Rows of indices as sets: the margin says who is selected, not in which order. */
function sortedRows(t: Tensor, width: number): Tensor {
  const data = Int32Array.from(t.data)
  for (let at = 0; at < data.length; at += width) data.subarray(at, at + width).sort()
  return { ...t, data }
}

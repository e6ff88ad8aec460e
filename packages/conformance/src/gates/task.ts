/** Batches of the switching task of paper A §4.4 (T = 12, d = 16, E = 4, σ = 0.8), made without any library's normals. */
import type { Tensor } from '@fep-moe/core'
import { generator } from '../frame/data.js'

export const DIM = 16
export const EXPERTS = 4
export const STEPS = 12
const SWITCH = 6
const NOISE = 0.8

/** A sum of twelve uniforms, centered: variance 1, near enough to normal for a test. */
const normal = (next: () => number): number => {
  let total = -6
  for (let k = 0; k < 12; k++) total += next()
  return total
}

/** One batch: sequences of a domain that changes once, and the expert of the domain one step ahead. */
export function switchingBatch(
  seed: number,
  batch: number,
): { readonly x: Tensor; readonly targets: Tensor } {
  const next = generator(seed)
  const x = new Float32Array(batch * STEPS * DIM)
  const targets = new Int32Array(batch * (STEPS - 1))
  for (let b = 0; b < batch; b++) {
    const start = next() < 0.5 ? 0 : 1
    const domain = (t: number) => (t < SWITCH ? start : 1 - start)
    for (let t = 0; t < STEPS; t++) {
      for (let j = 0; j < DIM; j++) {
        const signal = Math.floor(j / (DIM / 2)) === domain(t) ? 1 : 0
        x[(b * STEPS + t) * DIM + j] = signal + NOISE * normal(next)
      }
      if (t < STEPS - 1) targets[b * (STEPS - 1) + t] = 2 * domain(t + 1)
    }
  }
  return {
    x: { dtype: 'float32', shape: [batch, STEPS, DIM], data: x },
    targets: { dtype: 'int32', shape: [batch, STEPS - 1], data: targets },
  }
}

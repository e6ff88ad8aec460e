/** Slices of sequences. */
import type { Tensor } from '@fep-moe/core'

/** Steps from..to of (B,T,…). */
export function stepsOf(t: Tensor, from: number, to: number): Tensor {
  const [batch, all] = t.shape as [number, number]
  const width = t.shape.slice(2).reduce((n, d) => n * d, 1)
  const data = t.data.slice(0, batch * (to - from) * width)
  for (let b = 0; b < batch; b++) {
    data.set(
      t.data.subarray((b * all + from) * width, (b * all + to) * width) as Float32Array,
      b * (to - from) * width,
    )
  }
  return { dtype: t.dtype, shape: [batch, to - from, ...t.shape.slice(2)], data }
}

/** One step of (B,T,…) as (B,…). */
export function stepOf(t: Tensor, step: number): Tensor {
  const { dtype, shape, data } = stepsOf(t, step, step + 1)
  return { dtype, shape: [shape[0] as number, ...shape.slice(2)], data }
}

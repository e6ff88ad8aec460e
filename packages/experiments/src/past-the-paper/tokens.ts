/** What a gate sees: a token, and where experts err, their squared errors of the step before as further dimensions. */
import type { Tensor } from '@fep-moe/core'
import type { SwitchingTask } from '../tasks/switching/task.js'
import type { Window } from './windows.js'

/** Width of what a gate sees. */
export const seenWidth = ({ dim, experts, reliability }: SwitchingTask): number =>
  reliability ? dim + experts : dim

/** (d,T,B), or (d+E,T,B). Features come first, so the errors are more rows. */
export function seenTokens({ x, errors }: Window): Tensor {
  if (!errors) return x
  const data = new Float32Array(x.data.length + errors.data.length)
  data.set(x.data as Float32Array)
  data.set(errors.data as Float32Array, x.data.length)
  const [dim, ...rest] = x.shape as [number, number, number]
  return { dtype: 'float32', shape: [dim + (errors.shape[0] as number), ...rest], data }
}

/** Long sequences in windows: a training goes back through one of them, and what sequences carry goes on to the next. */
import type { Tensor } from '@fep-moe/core'
import { routingProbabilities } from '../tasks/switching/scores.js'
import type { SwitchingBatch } from '../tasks/switching/stream.js'

/** What a router is given at a time. */
export type Window = Pick<SwitchingBatch, 'x' | 'targets' | 'errors'>

/** Steps from..to−1 of (rows,T,B), or of (T,B). */
function stepsOf<T extends Tensor>({ dtype, shape, data }: T, from: number, to: number): T {
  const [steps, batch] = shape.slice(-2) as [number, number]
  const rows = shape.length === 3 ? (shape[0] as number) : 1
  const size = (to - from) * batch
  const out = data.slice(0, rows * size) as Float32Array
  for (let row = 0; row < rows; row++) {
    const start = (row * steps + from) * batch
    out.set(data.subarray(start, start + size) as Float32Array, row * size)
  }
  return { dtype, shape: [...shape.slice(0, -2), to - from, batch], data: out } as unknown as T
}

/** The windows of a batch in their order: the batch itself where one window has it all. @param window divides T */
export function windowsOf(batch: SwitchingBatch, window: number): readonly Window[] {
  const steps = batch.targets.shape[0] as number
  if (window >= steps) return [batch]
  return Array.from({ length: steps / window }, (_, n) => {
    const [from, to] = [n * window, (n + 1) * window]
    return {
      x: stepsOf(batch.x, from, to),
      targets: stepsOf(batch.targets, from, to),
      ...(batch.errors && { errors: stepsOf(batch.errors, from, to) }),
    }
  })
}

/** What a router says of a window, and carries on. */
export interface Answer {
  /** (E,T,B) */
  readonly logits: Tensor
  readonly state: Readonly<Record<string, Tensor>>
}

/** Probabilities (E,T,B) over all windows of a batch. @param answer takes what sequences carry; nothing before the first window */
export async function probabilitiesOver(
  batch: SwitchingBatch,
  { window, experts }: { readonly window: number; readonly experts: number },
  answer: (window: Window, state: Answer['state'] | undefined) => Promise<Answer>,
): Promise<Float64Array> {
  const windows = windowsOf(batch, window)
  const size = batch.targets.data.length / windows.length
  const out = new Float64Array(experts * size * windows.length)
  let state: Answer['state'] | undefined
  for (const [n, part] of windows.entries()) {
    const found = await answer(part, state)
    state = found.state
    const probabilities = routingProbabilities(found.logits)
    for (let e = 0; e < experts; e++)
      out.set(probabilities.subarray(e * size, (e + 1) * size), (e * windows.length + n) * size)
  }
  return out
}

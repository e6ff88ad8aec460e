/** Short recurrences as one batched product with the decay matrix. */
import { mergeDims } from '@fep-moe/core'
import type { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from '../lowerings/layout.js'
import { decayMatrix, decayMatrixWithInitial } from './decay.js'
import { type Recurrence, type Solution, withAxis } from './recurrence.js'

/** h = D b, with h0 as one more row of b where it is not zero. */
export function asProduct(w: GraphWriter, r: Recurrence): Solution {
  const { axis, bShape } = r
  const steps = bShape[axis] as number
  const columns = mergeDims(bShape.slice(axis + 1))
  const blocks = [...bShape.slice(0, axis), steps, columns]
  const reshaped = blocks.length !== bShape.length
  const seen = (x: string, rows: number) => (reshaped ? reshapeTo(w, x, withAxis(blocks, axis, rows)) : x)
  const target = reshaped ? undefined : r.output
  let h: string
  if (r.fromZero) {
    h = w.op('MatMul', [decayMatrix(w, r, steps), seen(r.b, steps)], {}, target)
  } else {
    const start = expandTo(w, r.h0, withAxis(bShape, axis, 1))
    const rows = w.op('Concat', r.reverse ? [r.b, start] : [start, r.b], { axis })
    h = w.op('MatMul', [decayMatrixWithInitial(w, r, steps), seen(rows, steps + 1)], {}, target)
  }
  return { h: reshaped ? reshapeTo(w, h, bShape, r.output) : h }
}

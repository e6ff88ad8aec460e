/** A recurrence as an ONNX Scan: any `a`, any length. */
import type { Shape } from '@fep-moe/core'
import { valueInfo } from '../emit/protobuf.js'
import { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from '../lowerings/layout.js'
import { type Recurrence, type Solution, withAxis } from './recurrence.js'

const dropAxis = (shape: Shape, axis: number): Shape => shape.filter((_, i) => i !== axis)

/** One step: a ⊙ h + b. A constant `a` is read from the graph around the body. */
export function asScan(w: GraphWriter, r: Recurrence): Solution {
  const { axis, aShape, bShape } = r
  const varies = aShape[axis] !== 1
  const stateShape = dropAxis(bShape, axis)
  const aSlice = dropAxis(aShape, axis)
  const first = expandTo(w, reshapeTo(w, r.h0, dropAxis(r.h0Shape, axis)), stateShape)
  const constant = varies ? '' : reshapeTo(w, r.a, aSlice)

  const body = new GraphWriter(w.model, w)
  body.at = w.helper('step')
  const [state, b, a] = ['state', 'b', 'a'].map((name) => body.helper(name)) as [string, string, string]
  const next = body.op('Add', [body.op('Mul', [varies ? a : constant, state]), b])
  const y = body.op('Identity', [next])
  const float = (name: string, shape: Shape) => valueInfo(name, { dtype: 'float32', shape })
  const inputs = [float(state, stateShape), float(b, stateShape), ...(varies ? [float(a, aSlice)] : [])]
  const graph = body.finish(body.at, inputs, [float(next, stateShape), float(y, stateShape)])

  const scanned = varies ? [r.b, r.a] : [r.b]
  const direction = r.reverse ? 1 : 0
  const [last, h] = w.ops(
    'Scan',
    [first, ...scanned],
    {
      body: { graph },
      num_scan_inputs: scanned.length,
      scan_input_axes: scanned.map(() => axis),
      scan_input_directions: scanned.map(() => direction),
      scan_output_axes: [axis],
      scan_output_directions: [direction],
    },
    [w.helper('last'), r.output ?? w.helper('h')],
    w.at,
  ) as [string, string]
  return { h, last: () => reshapeTo(w, last, withAxis(bShape, axis, 1)) }
}

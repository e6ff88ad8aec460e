/** LinearScan: chooses a form and emits it. */
import type { ValueInfo } from '@fep-moe/core'
import type { Lowering } from '../emit/lowering.js'
import type { GraphWriter } from '../emit/writer.js'
import { expandTo } from '../lowerings/layout.js'
import { chooseLinearScan, type LinearScanForm } from './choose.js'
import { asChunks } from './chunks.js'
import { asProduct } from './product.js'
import { type Recurrence, type Solution, withAxis } from './recurrence.js'
import { asScan } from './steps.js'

function solve(w: GraphWriter, r: Recurrence, form: LinearScanForm = chosen(w, r)): Solution {
  switch (form) {
    case 'empty':
      return { h: r.b, last: () => expandTo(w, r.h0, withAxis(r.bShape, r.axis, 1)) }
    case 'step':
      return { h: r.fromZero ? r.b : w.op('Add', [w.op('Mul', [r.a, r.h0]), r.b], {}, r.output) }
    case 'product':
      return asProduct(w, r)
    case 'chunks':
      return asChunks(w, r, (inner) => solve(w, inner, chosen(w, inner)))
    case 'scan':
      return asScan(w, r)
  }
}

const chosen = (w: GraphWriter, r: Recurrence): LinearScanForm =>
  chooseLinearScan({ a: r.aShape, b: r.bShape, axis: r.axis, batchHint: w.model.batchHint })

export const linearScan: Lowering<'LinearScan'> = ({ inputs, inputInfos, outputs, attrs, used }, w) => {
  const [a, b, h0] = inputs as [string, string, string]
  const [aInfo, bInfo, h0Info] = inputInfos as [ValueInfo, ValueInfo, ValueInfo]
  const { axis, reverse } = attrs
  const recurrence: Recurrence = {
    a,
    b,
    h0,
    aShape: aInfo.shape,
    bShape: bInfo.shape,
    h0Shape: h0Info.shape,
    fromZero: w.model.zeros.has(h0),
    axis,
    reverse,
    output: outputs[0] as string,
  }
  const { h, last } = solve(w, recurrence, w.model.linearScan)
  if (!used[1]) return [h, '']
  if (last) return [h, last()]
  const steps = bInfo.shape[axis] as number
  if (steps === 1) return [h, h]
  const at = reverse ? 0 : steps - 1
  const bounds = [at, at + 1, axis].map((n) => w.constant('int64', [n]))
  return [h, w.op('Slice', [h, ...bounds], {}, outputs[1])]
}

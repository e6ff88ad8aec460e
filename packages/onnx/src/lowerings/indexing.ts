/** Gather, scatter-add, top-k, arg-max. ONNX counts in int64; the surface of our graphs is int32. */
import { type Dim, mergeDims, type ValueInfo } from '@fep-moe/core'
import type { Call, LoweringTable } from '../emit/lowering.js'
import { DATA_TYPE } from '../emit/protobuf.js'
import type { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from './layout.js'

const toInt32 = (w: GraphWriter, x: string, output: string | undefined) =>
  w.op('Cast', [x], { to: DATA_TYPE.int32 }, output)

/** int32 indices as int64, converted once per value. */
const toInt64 = (w: GraphWriter, x: string) =>
  w.once(`int64(${x})`, () => w.op('Cast', [x], { to: DATA_TYPE.int64 }))

/**
 * On several threads, ONNX Runtime's ScatterND adds to one row from all of them at once and loses additions where an
 * index repeats (1.30: 38 of 40 runs of 20,000 updates to 5 rows). ScatterElements adds in order.
 */
function scatterSequentially(
  { inputs, inputInfos, outputs, outputInfos }: Call<'ScatterND'>,
  w: GraphWriter,
): readonly string[] {
  const [x, indices, updates] = inputs as [string, string, string]
  const [xInfo, indexInfo] = inputInfos as [ValueInfo, ValueInfo]
  const columns = mergeDims(xInfo.shape.slice(1))
  const count = mergeDims(indexInfo.shape)
  const table = reshapeTo(w, x, [xInfo.shape[0] as Dim, columns])
  const at = expandTo(w, reshapeTo(w, indices, [count, 1]), [count, columns])
  const sum = w.op('ScatterElements', [table, at, reshapeTo(w, updates, [count, columns])], {
    axis: 0,
    reduction: 'add',
  })
  return [reshapeTo(w, sum, (outputInfos[0] as ValueInfo).shape, outputs[0])]
}

/** Rows of a matrix are picked when somebody reads them: a product per group picks its own. */
function pickedRows(
  { inputs, inputInfos, outputs, attrs }: Call<'Gather'>,
  w: GraphWriter,
): string | undefined {
  const [x, indices] = inputInfos as [ValueInfo, ValueInfo]
  if (attrs.axis !== 0 || x.shape.length !== 2 || indices.shape.length !== 1 || x.dtype !== 'float32')
    return undefined
  const name = outputs[0] as string
  return w.defer(name, {
    value: { kind: 'picked', from: inputs[0] as string, indices: inputs[1] as string },
    write: () => w.op('Gather', inputs, { axis: 0 }, name),
  })
}

export const indexing = {
  Gather: (call, w) => [
    pickedRows(call, w) ?? w.op('Gather', call.inputs, { axis: call.attrs.axis }, call.outputs[0]),
  ],
  GatherElements: ({ inputs, outputs, attrs }, w) => [
    w.op('GatherElements', inputs, { axis: attrs.axis }, outputs[0]),
  ],
  ScatterND: (call, w) => {
    if (w.model.threads !== 1) return scatterSequentially(call, w)
    const [x, indices, updates] = call.inputs as [string, string, string]
    return [w.op('ScatterND', [x, toInt64(w, indices), updates], { reduction: 'add' }, call.outputs[0])]
  },
  ScatterElements: ({ inputs, outputs, attrs }, w) => [
    w.op('ScatterElements', inputs, { axis: attrs.axis, reduction: 'add' }, outputs[0]),
  ],
  TopK: ({ inputs, outputs, outputInfos, attrs, used }, w) => {
    // Without a single row, ONNX Runtime 1.30 divides by the number of rows, which ends the process.
    if (outputInfos[0]?.shape.includes(0))
      return outputInfos.map(({ dtype, shape }, i) =>
        expandTo(w, w.constant(dtype, [0], []), shape, outputs[i]),
      )
    const k = w.constant('int64', [attrs.k])
    const found = w.helper('indices')
    const [values] = w.ops(
      'TopK',
      [...inputs, k],
      { axis: attrs.axis, largest: 1, sorted: 1 },
      [outputs[0] as string, found],
      w.at,
    ) as [string]
    return [values, used[1] ? toInt32(w, found, outputs[1]) : '']
  },
  ArgMax: ({ inputs, outputs, attrs }, w) => {
    const flags = { axis: attrs.axis, keepdims: attrs.keepdims ? 1 : 0, select_last_index: 0 }
    return [toInt32(w, w.op('ArgMax', inputs, flags), outputs[0])]
  },
} satisfies Partial<LoweringTable>

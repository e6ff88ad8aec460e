/** Matrix products: plain, affine, and grouped by data-dependent row ranges. */
import type { ValueInfo } from '@fep-moe/core'
import type { Call, LoweringTable } from '../emit/lowering.js'
import type { GraphWriter } from '../emit/writer.js'
import { groupedMatMul } from './grouped-matmul.js'
import { expandTo, reshapeTo } from './layout.js'

/** x Wᵀ + b as one Gemm on rows: the bias costs no pass of its own. */
function linear(
  { inputs, inputInfos, outputs, outputInfos }: Call<'Linear'>,
  w: GraphWriter,
): readonly string[] {
  const [x, ...rest] = inputs as [string, ...string[]]
  const { shape } = inputInfos[0] as ValueInfo
  const out = outputInfos[0] as ValueInfo
  if (shape.length === 2) return [w.op('Gemm', [x, ...rest], { transB: 1 }, outputs[0])]
  const rows = w.op('Reshape', [x, w.constant('int64', [-1, shape.at(-1) as number])])
  return [reshapeTo(w, w.op('Gemm', [rows, ...rest], { transB: 1 }), out.shape, outputs[0])]
}

export const products = {
  MatMul: ({ inputs, inputInfos, outputs, outputInfos }, w) => {
    const { shape } = outputInfos[0] as ValueInfo
    // ONNX Runtime 1.30 does not broadcast leading axes against 0, and trips where it fuses products of nothing.
    if (shape.includes(0) || inputInfos[0]?.shape.at(-1) === 0)
      return [expandTo(w, w.scalar(0), shape, outputs[0])]
    return [w.op('MatMul', inputs, {}, outputs[0])]
  },
  GroupedMatMul: groupedMatMul,
  Linear: (call, w) => {
    const { shape } = call.inputInfos[0] as ValueInfo
    // An empty or symbolic inner dimension leaves the number of rows open; such cases follow the definition.
    return shape.every((d, i) => d !== 0 && (i < shape.length - 1 || typeof d === 'number'))
      ? linear(call, w)
      : call.expand(w)
  },
} satisfies Partial<LoweringTable>

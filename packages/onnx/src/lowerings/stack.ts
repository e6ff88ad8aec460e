/** Stacks of matrices: parameters of experts, joined and turned in the graph, that products take one by one. */
import type { Shape, ValueInfo } from '@fep-moe/core'
import type { Call } from '../emit/lowering.js'
import type { GraphWriter } from '../emit/writer.js'

/** Matrices (1, a, b) joined to (E, a, b); undefined for any other Concat. */
export function stackOf(
  { inputs, inputInfos, outputs, attrs }: Call<'Concat'>,
  w: GraphWriter,
): string | undefined {
  const { shape } = inputInfos[0] as ValueInfo
  const fits =
    attrs.axis === 0 &&
    inputs.length > 1 &&
    inputInfos.every((info) => info.shape.length === 3 && info.shape[0] === 1 && info.dtype === 'float32')
  if (!fits) return undefined
  const name = outputs[0] as string
  return w.defer(name, {
    value: {
      kind: 'stack',
      count: inputs.length,
      transposed: false,
      matrix: (e) => matrixOf(w, inputs[e] as string, shape.slice(1)),
    },
    write: () => w.op('Concat', inputs, { axis: 0 }, name),
  })
}

/** The transposed matrices of a stack; undefined for any other Transpose. */
export function turnedStack(
  { inputs, outputs, attrs }: Call<'Transpose'>,
  w: GraphWriter,
): readonly string[] | undefined {
  const source = inputs[0] as string
  const stack = w.partsOf(source)
  if (stack?.kind !== 'stack' || attrs.perm.join() !== '0,2,1') return undefined
  const name = outputs[0] as string
  return [
    w.defer(name, {
      value: { ...stack, transposed: !stack.transposed },
      write: () => w.op('Transpose', [w.written(source)], { perm: [0, 2, 1] }, name),
    }),
  ]
}

/** Without its leading 1. */
const matrixOf = (w: GraphWriter, part: string, shape: Shape): string =>
  w.once(`matrix(${part})`, () =>
    w.op('Reshape', [part, w.constant('int64', shape as readonly number[])], { allowzero: 1 }),
  )

/** A literal of large matrices: each becomes a literal of its own, which the runtime packs when it loads the model. */
export function literalStack({ attrs, outputs }: Call<'Constant'>, w: GraphWriter): string | undefined {
  const { dtype, shape, data } = attrs
  const [count, rows, columns] = shape
  if (dtype !== 'float32' || shape.length !== 3 || !(data instanceof Float32Array)) return undefined
  const name = outputs[0] as string
  const size = (rows as number) * (columns as number)
  return w.defer(name, {
    value: {
      kind: 'stack',
      count: count as number,
      transposed: false,
      matrix: (e) =>
        w.once(`matrix(${name},${e})`, () =>
          w.literal(
            w.model.names.unique(`${name}/${e}`),
            dtype,
            shape.slice(1),
            data.subarray(e * size, (e + 1) * size),
          ),
        ),
    },
    write: () => w.literal(name, dtype, shape, data),
  })
}

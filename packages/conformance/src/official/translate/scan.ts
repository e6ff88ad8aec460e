/** Scan: the body is translated node by node on a builder of its own. */
import { GraphBuilder, ops, type Shape, type Value } from '@fep-moe/core'
import { type Call, refuse, type Translations } from '../call.js'

function scan(call: Call): readonly Value[] {
  if (call.opset < 9) refuse('operator set 8: a batch axis and sequence lengths')
  const flags = ['scan_input_axes', 'scan_output_axes', 'scan_input_directions', 'scan_output_directions']
  if (flags.some((name) => call.list(name)?.some((n) => n !== 0))) refuse('axes or directions other than 0')
  const xs = call.number('num_scan_inputs', 0)
  const operands = call.values()
  const states = operands.length - xs
  const { inputs, outputs, nodes } = call.body('body')
  const builder = new GraphBuilder('body')
  const known = new Map<string, Value>()
  inputs.forEach((name, i) => {
    const { dtype, shape } = operands[i] as Value
    const seen: Shape = i < states ? shape : shape.slice(1)
    known.set(name, builder.input(name, dtype, seen))
  })
  for (const node of nodes) {
    const operandsOf = node.inputs.map((name) => {
      const value = known.get(name) as Value
      return { dtype: value.dtype, shape: value.shape as readonly number[], value: () => value }
    })
    const results = call.emit(builder, node, operandsOf)
    node.outputs.forEach((name, i) => {
      known.set(name, results[i] as Value)
    })
  }
  outputs.forEach((name) => {
    builder.output(name, known.get(name) as Value)
  })
  const { last, ys } = ops.scan(
    builder.build(),
    { init: operands.slice(0, states), xs: operands.slice(states) },
    { axis: 0 },
  )
  return [...last, ...ys]
}

export const recurrences: Translations = { Scan: scan }

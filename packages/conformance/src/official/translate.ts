/**
 * Official vectors in our operators. A vector becomes a case where its operator is one of ours, or the same thing spelled
 * differently (Less is Greater with its operands swapped); where it is not, the reason is counted.
 */
import { type Graph, GraphBuilder, type Tensor, type Value } from '@fep-moe/core'
import { Call, type Operand, refuse, type Translations } from './call.js'
import { elementwise } from './translate/elementwise.js'
import { indexing } from './translate/indexing.js'
import { layout } from './translate/layout.js'
import { products } from './translate/products.js'
import { reduce } from './translate/reduce.js'
import { rows } from './translate/rows.js'
import { recurrences } from './translate/scan.js'
import type { OfficialNode, OfficialVector, OpenTensor } from './vector.js'

const translations: Translations = {
  ...elementwise,
  ...layout,
  ...reduce,
  ...products,
  ...indexing,
  ...rows,
  ...recurrences,
}

/** True where vectors of an ONNX operator can be cases. @public The converter in tools imports it from the build. */
export const isTranslated = (op: string): boolean => Object.hasOwn(translations, op)

/** Emits one node. @throws Refusal */
function translateNode(
  builder: GraphBuilder,
  node: OfficialNode,
  opset: number,
  operands: readonly (Operand | undefined)[],
  open: OpenTensor,
): readonly (Value | undefined)[] {
  const translation = translations[node.op] ?? refuse(`${node.op} is not ours`)
  return translation(
    new Call(builder, node, opset, operands, open, (inner, part, given) =>
      translateNode(inner, part, opset, given, open),
    ),
  )
}

/** A vector as a graph, its feeds and its results. */
export interface Translated {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly expected: Readonly<Record<string, Tensor>>
}

/** Translates a vector. @throws Refusal with the reason why our operators do not cover it */
export function translateVector(vector: OfficialVector, open: OpenTensor): Translated {
  const { name, node, opset } = vector
  const builder = new GraphBuilder(name)
  const feeds: Record<string, Tensor> = {}
  const declared = new Map<string, Value>()
  const operands = node.inputs.map((input): Operand | undefined => {
    const ref = vector.inputs[input]
    if (ref === undefined) return undefined
    const tensor = open(ref)
    const { dtype, shape } = tensor
    const value = () => {
      const known = declared.get(input) ?? builder.input(input, dtype, shape)
      declared.set(input, known)
      feeds[input] = tensor
      return known
    }
    return { dtype, shape, tensor, value }
  })
  const results = translateNode(builder, node, opset, operands, open)
  const expected: Record<string, Tensor> = {}
  node.outputs.forEach((output, i) => {
    const ref = vector.outputs[output]
    if (ref === undefined) return
    builder.output(output, results[i] ?? refuse(`no result '${output}'`))
    expected[output] = open(ref)
  })
  return { graph: builder.build(), feeds, expected }
}

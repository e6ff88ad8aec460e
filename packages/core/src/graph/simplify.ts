/** Exact, local simplifications that a builder makes while it emits. Results keep their bits. */
import type { OpAttrs, OpName } from '../ops/attrs.js'
import type { GraphBuilder, Value } from './builder.js'
import { broadcastShapes, sameShape, sizeOf } from './shape.js'
import type { Shape, ValueInfo } from './types.js'

const BROADCASTING: ReadonlySet<OpName> = new Set<OpName>([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Greater',
  'GreaterOrEqual',
  'Equal',
  'And',
  'Where',
])
const UNARY: ReadonlySet<OpName> = new Set<OpName>([
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Tanh',
  'Sigmoid',
  'Erf',
  'Sin',
  'Cos',
  'Not',
  'Cast',
  'StopGradient',
])

const isSingle = (shape: Shape): boolean => sizeOf(shape).factor === 1 && sizeOf(shape).power === 0

/** The one number that a value repeats, as a value of one element; undefined where elements may differ. */
function repeated(value: Value): Value | undefined {
  if (isSingle(value.shape)) return value
  const source = value.node?.op === 'Expand' ? value.node.inputs[0] : undefined
  return source && isSingle(source.shape) ? source : undefined
}

function isLiteral(value: Value | undefined, number: number): boolean {
  const attrs = value?.node?.op === 'Constant' ? (value.node.attrs as OpAttrs['Constant']) : undefined
  return attrs?.data.length === 1 && attrs.data[0] === number
}

/** A value that the node would only copy or repeat; undefined where the node is needed. */
export function simplify<O extends OpName>(
  builder: GraphBuilder,
  op: O,
  operands: readonly Value[],
  infos: readonly ValueInfo[],
  attrs: OpAttrs[O],
): Value | undefined {
  const [x, y] = operands
  const [out] = infos
  if (!x || !out) return undefined
  if (sameShape(x.shape, out.shape) && x.dtype === out.dtype && keepsElements(op, operands)) return x
  if (op === 'Mul' && isLiteral(x, 1) && y && sameShape(y.shape, out.shape)) return y
  if (op === 'Expand' && x.node?.op === 'Expand')
    return builder.emit('Expand', [x.node.inputs[0] as Value], attrs as OpAttrs['Expand'])[0]
  if (op === 'Reshape' && x.node?.op === 'Reshape')
    return builder.emit('Reshape', [x.node.inputs[0] as Value], attrs as OpAttrs['Reshape'])[0]
  if (!isSingle(out.shape) && (BROADCASTING.has(op) || UNARY.has(op) || op === 'Reshape'))
    return onRepeatedNumber(builder, op, operands, out, attrs)
  return undefined
}

/** Operators that return their operand when its shape and dtype stay the same. */
function keepsElements(op: OpName, operands: readonly Value[]): boolean {
  if (op === 'Reshape' || op === 'Expand' || op === 'Cast' || op === 'Slice' || op === 'Pad') return true
  if (op === 'Concat') return operands.length === 1
  if (op === 'Transpose') return (operands[0] as Value).shape.length <= 1
  return (op === 'Mul' || op === 'Div') && isLiteral(operands[1], 1)
}

/** Where every operand repeats one number, the work is done on that number and the result repeated. */
function onRepeatedNumber<O extends OpName>(
  builder: GraphBuilder,
  op: O,
  operands: readonly Value[],
  out: ValueInfo,
  attrs: OpAttrs[O],
): Value | undefined {
  const numbers = operands.map(repeated)
  if (numbers.some((n) => n === undefined)) return undefined
  const ones = out.shape.map(() => 1)
  const one = builder.emit(
    op,
    numbers as Value[],
    op === 'Reshape' ? ({ shape: ones } as unknown as OpAttrs[O]) : attrs,
  )[0] as Value
  return builder.emit('Expand', [one], { shape: out.shape })[0]
}

/** An elementwise operator broadcasts by itself: an Expand in front of it is dropped where the result keeps its shape. */
export function withoutExpands(
  op: OpName,
  operands: readonly Value[],
  infos: readonly ValueInfo[],
): readonly Value[] {
  if (!BROADCASTING.has(op)) return operands
  const out = infos[0] as ValueInfo
  const slim = [...operands]
  for (let i = 0; i < slim.length; i++) {
    const node = (slim[i] as Value).node
    if (node?.op !== 'Expand') continue
    const rest = slim.map((v, j) => (j === i ? (node.inputs[0] as Value) : v))
    if (sameShape(broadcastShapes(...rest.map((v) => v.shape)), out.shape)) slim[i] = node.inputs[0] as Value
  }
  return slim
}

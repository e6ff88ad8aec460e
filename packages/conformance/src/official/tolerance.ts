/**
 * How far a result may be off. ONNX's own runner allows 1e-3 of the value; these vectors were computed in single precision
 * from a few operands, and so a few roundings are enough. Operators that move, compare or choose are exact.
 */
import { EXACT, type Tolerance } from '../frame/case.js'
import { ROUNDING } from '../operators/case.js'

const EXACT_OPERATORS: ReadonlySet<string> = new Set([
  ...['Abs', 'Clip', 'Identity', 'Max', 'Min', 'Neg', 'Relu', 'Where'],
  ...['ArgMax', 'ArgMin', 'ReduceMax', 'ReduceMin', 'TopK'],
  ...['Gather', 'GatherElements', 'OneHot'],
  ...['Concat', 'Constant', 'ConstantOfShape', 'Expand', 'Flatten', 'Pad', 'Reshape', 'Slice', 'Split'],
  ...['Squeeze', 'Transpose', 'Unsqueeze'],
])

/** Tolerance of every vector of an ONNX operator; integers and booleans are exact anyway. */
export const toleranceOf = (op: string): Tolerance => (EXACT_OPERATORS.has(op) ? EXACT : ROUNDING)

/** The elementwise operators: what an expression over views may apply. */
import type { PrimitiveName } from '../ops/attrs.js'

/** In the order of the table of operators. */
export const scalarNames = [
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
] as const satisfies readonly PrimitiveName[]

/** One of {@link scalarNames}. */
export type ScalarName = (typeof scalarNames)[number]

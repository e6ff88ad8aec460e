/** What is tried with NaN and infinities: an operator on small data, and its formula in JavaScript, whose doubles are IEEE's. */
import type { OpName, Tensor, Value } from '@fep-moe/core'
import type { Values } from '../frame/build.js'
import type { Tolerance } from '../frame/case.js'
import { ROUNDING } from '../operators/case.js'

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>

/** A number that is not finite, by the name it has in case ids. */
export const SPECIALS = {
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  'minus-infinity': Number.NEGATIVE_INFINITY,
} as const

/** Its name. */
export type Special = keyof typeof SPECIALS

/** One operator on one set of operands. */
export interface Subject {
  /** The middle of the case id. */
  readonly what: string
  readonly feeds: Tensors
  readonly body: (values: Values) => Values
  /** What must come out, from the operator's definition. */
  readonly formula: (feeds: Tensors) => Tensors
  /** Axis along which an operator that is declared an exception may spoil a whole lane. Default: dependents only. */
  readonly lane?: number
  /** NaN has no order: a lane of the outputs along `lane` that saw one is judged by nobody. */
  readonly unordered?: boolean
  /** Numbers to plant. Default: all. */
  readonly specials?: readonly Special[]
  readonly tolerance: Tolerance
}

/** Operators that compute with the elements of a float. */
export type FloatOp = Exclude<OpName, 'Constant' | 'Size' | 'And' | 'Not' | 'OneHot'>

/** Subjects for every operator of a family: the compiler names the one that has none. */
export type SubjectsOf<O extends FloatOp> = { readonly [K in O]: readonly [Subject, ...Subject[]] }

/** Writes a subject down. */
export function subject<F extends Tensors>(
  what: string,
  feeds: F,
  body: (values: { readonly [K in keyof F]: Value }) => Values,
  formula: (feeds: F) => Tensors,
  options: Partial<Pick<Subject, 'lane' | 'unordered' | 'specials' | 'tolerance'>> = {},
): Subject {
  return {
    what,
    feeds,
    body: body as Subject['body'],
    formula: formula as Subject['formula'],
    tolerance: ROUNDING,
    ...options,
  }
}

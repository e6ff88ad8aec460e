/** Elementwise operators as WGSL expressions. */
import type { DType } from '@fep-moe/core'
import type { ScalarName, Tree, View } from '@fep-moe/core/lowering'
import type { FunctionName } from '../math/functions.js'
import { literal } from './literal.js'
import type { WgslWriter } from './wgsl-writer.js'

/** Writes one operator; `from` is the dtype of the first operand. */
type ScalarRule = (args: readonly string[], k: WgslWriter, to: DType, from: DType) => string

const call =
  (name: FunctionName): ScalarRule =>
  ([x], k) =>
    `${k.use(name)}(${x})`
const infix =
  (sign: string): ScalarRule =>
  ([a, b]) =>
    `(${a} ${sign} ${b})`

const RULES: Readonly<Record<ScalarName, ScalarRule>> = {
  Neg: ([x]) => `(-${x})`,
  Exp: call('exp_f32'),
  Log: call('log_f32'),
  Sqrt: ([x]) => `sqrt(${x})`,
  Tanh: call('tanh_f32'),
  Sigmoid: call('sigmoid_f32'),
  Erf: call('erf_f32'),
  Sin: call('sin_f32'),
  Cos: call('cos_f32'),
  Not: ([x]) => `!${x}`,
  Cast: ([x], k, to, from) => {
    if (to === from) return x as string
    if (to === 'bool') return from === 'int32' ? `(${x} != 0i)` : `${k.use('is_nonzero')}(${x})`
    return `${to === 'int32' ? 'i32' : 'f32'}(${x})`
  },
  Add: infix('+'),
  Sub: infix('-'),
  Mul: infix('*'),
  Div: ([a, b], k, to) => (to === 'int32' ? `${k.use('divide_i32')}(${a}, ${b})` : `(${a} / ${b})`),
  Max: ([a, b]) => `max(${a}, ${b})`,
  Min: ([a, b]) => `min(${a}, ${b})`,
  Greater: infix('>'),
  GreaterOrEqual: infix('>='),
  Equal: infix('=='),
  And: infix('&&'),
  Where: ([c, a, b]) => `select(${b}, ${a}, ${c})`,
}

const isLiteral = (tree: Tree): boolean =>
  tree.kind === 'literal' || (tree.kind === 'apply' && tree.args.every(isLiteral))

/**
 * The expression of a tree, of its dtype.
 * @param at index of an element of a view, as `WgslWriter.index` gives it
 */
export function scalarCode(k: WgslWriter, tree: Tree, at: (view: View) => string, opaque = false): string {
  if (tree.kind === 'literal') return literal(k, tree.value, tree.dtype, opaque)
  if (tree.kind === 'load') return k.load(tree.view, at(tree.view))
  const isConstant = tree.args.every(isLiteral)
  const args = tree.args.map((arg) => scalarCode(k, arg, at, isConstant))
  return RULES[tree.op](args, k, tree.dtype, (tree.args[0] as Tree).dtype)
}

/** Writes an element of a view. What is only moved is moved as it is: no NaN and no subnormal changes. */
export function storeTree(
  k: WgslWriter,
  target: View,
  index: string,
  tree: Tree,
  at: (view: View) => string,
): void {
  if (tree.kind === 'load') k.storeWord(target, index, k.word32(tree.view, at(tree.view)))
  else k.store(target, index, scalarCode(k, tree, at))
}

/** What an operator costs beside an addition. */
const COSTLY: ReadonlySet<ScalarName> = new Set(['Exp', 'Log', 'Tanh', 'Sigmoid', 'Erf', 'Sin', 'Cos'])

/** Estimated scalar operations of a tree. */
export const costOf = (tree: Tree): number =>
  tree.kind === 'apply' ? tree.args.reduce((n, arg) => n + costOf(arg), COSTLY.has(tree.op) ? 20 : 1) : 1

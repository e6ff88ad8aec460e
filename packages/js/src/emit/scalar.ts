/**
 * Elementwise operators as JavaScript expressions. Every intermediate result is rounded to its dtype, as if it had been
 * stored: a fused chain has the bits of the unfused one.
 */
import type { DType } from '@fep-moe/core'
import type { ScalarName, Tree, View } from '@fep-moe/core/lowering'
import { ERF_DENSITY, ERF_END, ERF_TERMS } from '../erf-table.js'
import type { KernelWriter } from './kernel-writer.js'

/** Writes one operator; operands are atoms, the result need not be. */
interface ScalarRule {
  /** May write lines of its own for what its expression needs more than once. */
  readonly code: (args: readonly string[], dtype: DType, k: KernelWriter) => string
  /** Dtypes that hold every result without rounding or wrapping. */
  readonly exact?: 'all' | 'float32'
}

const call = (name: string): ScalarRule => ({ code: (args) => `${name}(${args.join(', ')})` })
const infix = (sign: string): ScalarRule => ({ code: ([a, b]) => `${a} ${sign} ${b}` })
const test = (sign: string): ScalarRule => ({ code: ([a, b]) => `${a} ${sign} ${b} ? 1 : 0`, exact: 'all' })

/** 1/(1+e^−x) without overflow: both branches divide by 1 + e^−|x|. */
const sigmoid: ScalarRule['code'] = ([x], _dtype, k) => {
  const held = k.hold('x', x as string)
  const e = k.hold('e', `exp(-abs(${held}))`)
  return `(${held} >= 0 ? 1 : ${e}) / (1 + ${e})`
}

/** The polynomial of the nearest grid point; see erf-table.ts. No function is called: V8 would box its number. */
const erf: ScalarRule['code'] = ([x], _dtype, k) => {
  const held = k.hold('x', x as string)
  const a = k.hold('a', `min(abs(${held}), ${ERF_END})`)
  const cell = k.hold('cell', `(${a} * ${ERF_DENSITY} + 0.5 | 0) * ${ERF_TERMS}`)
  const rest = k.hold('rest', `${a} - ${cell} / ${ERF_DENSITY * ERF_TERMS}`)
  let sum = `erfTable[${cell} + ${ERF_TERMS - 1}]`
  for (let n = ERF_TERMS - 2; n >= 0; n--)
    sum = `(erfTable[${n > 0 ? `${cell} + ${n}` : cell}] + ${rest} * ${sum})`
  return `sign(${held}) * ${sum}`
}

const RULES: Readonly<Record<ScalarName, ScalarRule>> = {
  Neg: { code: ([x]) => `-${x}`, exact: 'float32' },
  Exp: call('exp'),
  Log: call('log'),
  Sqrt: call('sqrt'),
  Tanh: call('tanh'),
  Sigmoid: { code: sigmoid },
  Erf: { code: erf },
  Sin: call('sin'),
  Cos: call('cos'),
  Not: { code: ([x]) => `${x} ? 0 : 1`, exact: 'all' },
  Cast: {
    code: ([x], to) => (to === 'bool' ? `${x} !== 0 ? 1 : 0` : to === 'int32' ? `${x} | 0` : `${x}`),
  },
  Add: infix('+'),
  Sub: infix('-'),
  Mul: { code: ([a, b], dtype) => (dtype === 'int32' ? `imul(${a}, ${b})` : `${a} * ${b}`) },
  Div: infix('/'),
  Max: { ...call('max'), exact: 'all' },
  Min: { ...call('min'), exact: 'all' },
  Greater: test('>'),
  GreaterOrEqual: test('>='),
  Equal: test('==='),
  And: { code: ([a, b]) => `${a} !== 0 && ${b} !== 0 ? 1 : 0`, exact: 'all' },
  Where: { code: ([c, a, b]) => `${c} ? ${a} : ${b}`, exact: 'all' },
}

const isCall = (code: string): boolean => /^[a-z]+\([^()]*\)$/.test(code)
const atom = (code: string): string => (isCall(code) ? code : `(${code})`)

/**
 * The expression of a tree.
 * @param load how an element of a view is read here
 * @param stored the expression is assigned to an element of the tree's dtype, which rounds or wraps by itself
 */
export function scalarCode(
  k: KernelWriter,
  tree: Tree,
  load: (view: View) => string,
  stored = false,
): string {
  if (tree.kind === 'literal') return literalCode(tree.value, tree.dtype)
  if (tree.kind === 'load') return load(tree.view)
  const { code, exact } = RULES[tree.op]
  const args = tree.args.map((arg) => scalarCode(k, arg, load))
  if (tree.op === 'Cast' && tree.dtype !== 'bool' && tree.args[0]?.dtype === 'bool') return args[0] as string
  const text = code(args, tree.dtype, k)
  if (stored) return text
  if (exact === 'all' || exact === tree.dtype || tree.dtype === 'bool') return atom(text)
  if (tree.dtype === 'float32') return `fround(${text})`
  return text.endsWith(' | 0') ? `(${text})` : `(${text} | 0)`
}

/** A number as its dtype holds it. */
export function literalCode(value: number, dtype: DType): string {
  const held = dtype === 'float32' ? Math.fround(value) : dtype === 'int32' ? value | 0 : value & 255
  const text = Object.is(held, -0) ? '-0' : String(held)
  return text.startsWith('-') ? `(${text})` : text
}

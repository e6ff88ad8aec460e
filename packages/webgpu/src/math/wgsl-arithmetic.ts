/** Formulas as WGSL functions. */
import { literalText } from '../emit/literal-text.js'
import type { Arithmetic, Formula } from './arithmetic.js'

/** The text of a function, and the functions that it calls. */
export interface FunctionText {
  readonly text: string
  readonly calls: readonly string[]
}

/** `fn tanh_f32(x: f32) -> f32 { … }` */
export function formulaText(formula: Formula): FunctionText {
  const lines: string[] = []
  const calls = new Set<string>()
  const hold = (code: string): string => {
    const name = `v${lines.length}`
    lines.push(`  let ${name} = ${code};`)
    return name
  }
  const infix = (sign: string) => (a: string, b: string) => hold(`${a} ${sign} ${b}`)
  const call = (name: string) => (a: string, b?: string) =>
    hold(`${name}(${b === undefined ? a : `${a}, ${b}`})`)
  const helper = (name: string) => (a: string, b?: string) => {
    calls.add(name)
    return call(name)(a, b)
  }
  const logical = (code: string) => hold(code)
  const m: Arithmetic<string, string, string> = {
    float: (value) => literalText(Math.fround(value)),
    special: (bits) => helper('float_of')(`0x${bits.toString(16)}u`),
    add: infix('+'),
    sub: infix('-'),
    mul: infix('*'),
    div: infix('/'),
    mulAdd: (a, b, c) => hold(`${a} * ${b} + ${c}`),
    negate: (a) => hold(`-${a}`),
    abs: call('abs'),
    min: call('min'),
    max: call('max'),
    round: call('round'),
    less: infix('<'),
    toInt: call('i32'),
    fromInt: call('f32'),
    bits: call('bitcast<i32>'),
    fromBits: call('bitcast<f32>'),
    int: (value) => ((value | 0) < 0 ? `i32(${value | 0})` : `${value | 0}i`),
    addInt: infix('+'),
    mulLow: infix('*'),
    mulHigh: helper('multiply_high'),
    and: infix('&'),
    or: infix('|'),
    shiftLeft: (a, by) => hold(`${a} << u32(${by})`),
    shiftRight: (a, by) => logical(`bitcast<i32>(bitcast<u32>(${a}) >> u32(${by}))`),
    shiftRightSigned: (a, by) => hold(`${a} >> u32(${by})`),
    equal: infix('=='),
    below: (a, b) => hold(`bitcast<u32>(${a}) < bitcast<u32>(${b})`),
    select: (condition, a, b) => hold(`select(${b}, ${a}, ${condition})`) as typeof a,
    call: (other, x) => helper(other.name)(x),
  }
  const result = formula.write(m, 'x')
  return {
    text: [`fn ${formula.name}(x: f32) -> f32 {`, ...lines, `  return ${result};`, '}'].join('\n'),
    calls: [...calls],
  }
}

/** The functions that shaders may call; a shader holds those that it does. */
import { erf } from './error-function.js'
import { exp, log, sigmoid, tanh } from './exponential.js'
import { cos, sin } from './trigonometric.js'
import { type FunctionText, formulaText } from './wgsl-arithmetic.js'

const FORMULAS = [exp, log, sigmoid, tanh, erf, sin, cos] as const

const plain = (text: string): FunctionText => ({ text, calls: [] })

const HELPERS = {
  /** Not a constant expression: there, infinity and NaN are errors. */
  float_of: plain(`fn float_of(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}`),
  int_of: plain(`fn int_of(bits: u32) -> i32 {
  return bitcast<i32>(bits);
}`),
  /** By its bits, so that a subnormal is no zero; a NaN is nonzero. */
  is_nonzero: plain(`fn is_nonzero(x: f32) -> bool {
  return (bitcast<u32>(x) << 1u) != 0u;
}`),
  /** Truncates; x / 0 is 0, and the one quotient that does not fit wraps. */
  divide_i32: plain(`fn divide_i32(a: i32, b: i32) -> i32 {
  if (b == 0i) {
    return 0i;
  }
  if (b == i32(-1)) {
    return -a;
  }
  return a / b;
}`),
  /** A negative index counts from the end. */
  from_end: plain(`fn from_end(index: i32, length: i32) -> i32 {
  return select(index, index + length, index < 0i);
}`),
  /** As from_end; one that is outside becomes the nearest that is not. */
  wrap_index: plain(`fn wrap_index(index: i32, length: i32) -> u32 {
  return u32(max(min(select(index, index + length, index < 0i), length - 1i), 0i));
}`),
  /** Integers in the order of the floats; zeros of both signs are equal. */
  order_key: plain(`fn order_key(word: u32) -> i32 {
  let key = bitcast<i32>(word);
  if ((word << 1u) == 0u) {
    return 0i;
  }
  return select(key, key ^ 0x7fffffffi, key < 0i);
}`),
  /** The high half of a product of unsigned integers. */
  multiply_high: plain(`fn multiply_high(a: i32, b: i32) -> i32 {
  let x = bitcast<u32>(a);
  let y = bitcast<u32>(b);
  let low = (x & 0xffffu) * (y & 0xffffu);
  let left = (x >> 16u) * (y & 0xffffu) + (low >> 16u);
  let right = (x & 0xffffu) * (y >> 16u) + (left & 0xffffu);
  return bitcast<i32>((x >> 16u) * (y >> 16u) + (left >> 16u) + (right >> 16u));
}`),
} as const

/** Names of {@link functionsText}. */
export type FunctionName =
  | keyof typeof HELPERS
  | 'exp_f32'
  | 'log_f32'
  | 'sigmoid_f32'
  | 'tanh_f32'
  | 'erf_f32'
  | 'sin_f32'
  | 'cos_f32'

const library: Record<string, FunctionText> = { ...HELPERS }

function find(name: string): FunctionText {
  const formula = FORMULAS.find((f) => f.name === name)
  if (formula) library[name] ??= formulaText(formula)
  return library[name] as FunctionText
}

/** The texts of functions and of those that they call, each once, in alphabetical order. */
export function functionsText(names: Iterable<FunctionName>): string[] {
  const all = new Set<string>()
  const add = (name: string) => {
    if (all.has(name)) return
    all.add(name)
    find(name).calls.forEach(add)
  }
  for (const name of names) add(name)
  return [...all].sort().map((name) => find(name).text)
}

/** The error function: a polynomial near 0, and 1 − e^−L(x) beyond 1, where L = −ln erfc is smooth. */
import { type Formula, polynomial } from './arithmetic.js'
import { exp } from './exponential.js'

/** erf x / x − 1 in x² on 0 .. 1, interpolated at Chebyshev nodes. */
const NEAR = [
  0.12837916612625122, -0.3761262595653534, 0.11283594369888306, -0.02685421146452427, 0.005189087241888046,
  -0.000801686430349946, 0.00007875874871388078,
] as const

/** −ln erfc x / x on 1 .. 4, interpolated at Chebyshev nodes. */
const FAR = [
  1.1289572715759277, 0.6339714527130127, 0.10809191316366196, -0.025308601558208466, 0.004373922478407621,
  -0.0005157455452717841, 0.000036593010008800775, -0.0000011660324616968865,
] as const

/** From here on, erf is 1. */
const END = 4

export const erf: Formula = {
  name: 'erf_f32',
  write: (m, x) => {
    const a = m.min(m.abs(x), m.float(END))
    const square = m.mul(a, a)
    const near = m.mulAdd(x, polynomial(m, square, NEAR), x)
    const far = m.sub(m.float(1), m.call(exp, m.negate(m.mul(a, polynomial(m, a, FAR)))))
    const signed = m.select(m.less(x, m.float(0)), m.negate(far), far)
    return m.select(m.less(a, m.float(1)), near, signed)
  },
}

/** Matrix products: a row meets a column, and 0 · NaN is NaN. */
import { ops, type Tensor } from '@fep-moe/core'
import { f, fill, i, noise } from '../../frame/data.js'
import { type FloatOp, type Subject, type SubjectsOf, subject } from '../subject.js'

type Products = Extract<FloatOp, 'MatMul' | 'Linear' | 'GroupedMatMul' | 'GruCell'>

const at = (t: Tensor, r: number, c: number): number => t.data[r * (t.shape.at(-1) as number) + c] as number
const total = (length: number, term: (k: number) => number): number => {
  let sum = 0
  for (let k = 0; k < length; k++) sum += term(k)
  return sum
}

const product = (m: number, n: number, p: number): Subject =>
  subject(
    `${m}x${n}-by-${n}x${p}`,
    { a: noise(621, [m, n]), b: noise(622, [n, p]) },
    (v) => ({ y: ops.matmul(v.a, v.b) }),
    ({ a, b }) => ({
      y: fill([m, p], (k) => total(n, (q) => at(a, Math.floor(k / p), q) * at(b, q, k % p))),
    }),
    { tolerance: { atol: 1e-5, rtol: 2e-6 } },
  )

/** Rows 1 and 2 belong to group 0, row 3 to group 1; rows 0 and 4 to none. */
const offsets = i([1, 3, 4])
const groupOf = (row: number): number | undefined => [undefined, 0, 0, 1, undefined][row]

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v))
const [BATCH, INPUT, HIDDEN] = [2, 3, 2]

export const products: SubjectsOf<Products> = {
  MatMul: [
    product(2, 3, 4),
    product(17, 33, 19),
    product(1, 40, 1),
    subject(
      'zeros-do-not-hide-it',
      { a: f([0, 1, 0, 1, 0, 0], [2, 3]), b: noise(623, [3, 2]) },
      (v) => ({ y: ops.matmul(v.a, v.b) }),
      ({ a, b }) => ({ y: fill([2, 2], (k) => total(3, (q) => at(a, k >> 1, q) * at(b, q, k & 1))) }),
    ),
  ],
  Linear: [
    subject(
      'rows',
      { x: noise(624, [2, 3]), w: noise(625, [4, 3]), b: noise(626, [4]) },
      (v) => ({ y: ops.linear(v.x, v.w, v.b) }),
      ({ x, w, b }) => ({
        y: fill(
          [2, 4],
          (k) => total(3, (q) => at(x, k >> 2, q) * at(w, k & 3, q)) + (b.data[k & 3] as number),
        ),
      }),
    ),
  ],
  GroupedMatMul: [
    subject(
      'forward',
      { x: noise(627, [5, 3]), w: noise(628, [2, 3, 2]), offsets },
      (v) => ({ y: ops.groupedMatMul(v.x, v.w, v.offsets) }),
      ({ x, w }) => ({
        y: fill([5, 2], (k) => {
          const group = groupOf(k >> 1)
          return group === undefined ? 0 : total(3, (q) => at(x, k >> 1, q) * at(w, group * 3 + q, k & 1))
        }),
      }),
    ),
    subject(
      'weight',
      { x: noise(629, [5, 2]), g: noise(630, [5, 3]), offsets },
      (v) => ({ y: ops.groupedMatMulWeight(v.x, v.g, v.offsets) }),
      ({ x, g }) => ({
        y: fill([2, 2, 3], (k) => {
          const own = [0, 1, 2, 3, 4].filter((row) => groupOf(row) === Math.floor(k / 6))
          return total(own.length, (n) => {
            const row = own[n] as number
            return at(x, row, Math.floor(k / 3) % 2) * at(g, row, k % 3)
          })
        }),
      }),
    ),
  ],
  GruCell: [
    subject(
      'rows',
      {
        x: noise(631, [BATCH, INPUT]),
        h: noise(632, [BATCH, HIDDEN]),
        wi: noise(633, [3 * HIDDEN, INPUT]),
        wh: noise(634, [3 * HIDDEN, HIDDEN]),
        bi: noise(635, [3 * HIDDEN]),
        bh: noise(636, [3 * HIDDEN]),
      },
      (v) => ({ y: ops.gruCell(v.x, v.h, v.wi, v.wh, v.bi, v.bh) }),
      ({ x, h, wi, wh, bi, bh }) => ({
        y: fill([BATCH, HIDDEN], (k) => {
          const [row, unit] = [Math.floor(k / HIDDEN), k % HIDDEN]
          const fromX = (gate: number) => {
            const r = gate * HIDDEN + unit
            return total(INPUT, (q) => at(x, row, q) * at(wi, r, q)) + (bi.data[r] as number)
          }
          const fromH = (gate: number) => {
            const r = gate * HIDDEN + unit
            return total(HIDDEN, (q) => at(h, row, q) * at(wh, r, q)) + (bh.data[r] as number)
          }
          const reset = sigmoid(fromX(0) + fromH(0))
          const update = sigmoid(fromX(1) + fromH(1))
          const fresh = Math.tanh(fromX(2) + reset * fromH(2))
          return (1 - update) * fresh + update * at(h, row, unit)
        }),
      }),
    ),
  ],
}

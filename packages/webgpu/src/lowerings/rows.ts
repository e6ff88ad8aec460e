/** Composites over a row, each one kernel: what the definition stores in between stays with the row. */
import { countOf } from '@fep-moe/core'
import {
  broadcastLazy,
  type Lazy,
  moveLazy,
  operandOf,
  permuteView,
  resultOf,
  sizeOfTree,
  type View,
  viewsOf,
} from '@fep-moe/core/lowering'
import { literal } from '../emit/literal.js'
import { maxOf, type RowPass, sumOf } from '../emit/row-pass.js'
import { costOf, scalarCode } from '../emit/scalar.js'
import { Space } from '../emit/space.js'
import type { WgslWriter } from '../emit/wgsl-writer.js'
import { positionOf, type Scope } from '../lower/scope.js'
import type { LoweringsOf } from './lowering.js'

/** Composites that this compiler takes as they are. */
export const claimedComposites = ['Softmax', 'LogSoftmax', 'LayerNorm'] as const

/** One of {@link claimedComposites}. */
export type ClaimedComposite = (typeof claimedComposites)[number]

/** What a formula over a row may do. */
interface Row {
  readonly k: WgslWriter
  readonly pass: RowPass
  /** Element l of an operand. */
  element(operand: number, l: string): string
  /** Element l of the result, once it is written by the same thread. */
  result(l: string): string
  store(l: string, value: string): void
}

/** Operators in an operand that is read several times. */
const MOST_RECOMPUTED = 2

function rowKernel(
  scope: Scope,
  node: { readonly op: string; readonly inputs: readonly string[]; readonly outputs: readonly string[] },
  axis: number,
  write: (row: Row) => void,
): void {
  const result = resultOf(node)
  const { shape } = scope.info(result)
  const order = [...shape.map((_, i) => i).filter((i) => i !== axis), axis]
  const whole = order.map((i) => shape[i] as number)
  const [items, length] = [whole.slice(0, -1), whole.at(-1) as number]
  const turn = (lazy: Lazy) => moveLazy(lazy, whole, (view) => permuteView(view, order)).tree
  const trees = node.inputs.map((name) => {
    if (sizeOfTree(scope.lazy(name).tree) > MOST_RECOMPUTED) scope.materialize(name)
    return turn(broadcastLazy(scope.operand(name, shape), shape))
  })
  const out = scope.allocate(result)
  scope.define(result, out)
  if (countOf(shape) === 0) return
  const target = permuteView(out, order)
  const views = [...trees.flatMap(viewsOf), target]
  scope.kernel(node.op, result, {
    items,
    row: positionOf(scope.row(operandOf(node)), [axis]),
    length,
    cost: length * (40 + trees.reduce((n, tree) => n + costOf(tree), 0)),
    write: ({ k, space, pass }) => {
      const at = space(views)
      const index = (l: string) => {
        const along = new Space(k, l, [length], views, { skip: items.length })
        return (view: View) => k.index(view, [...at.terms(view), ...along.terms(view)])
      }
      write({
        k,
        pass,
        element: (operand, l) => scalarCode(k, trees[operand] as Lazy['tree'], index(l)),
        result: (l) => k.load(target, index(l)(target)),
        store: (l, value) => k.store(target, index(l)(target), value),
      })
    },
  })
}

export const rows: LoweringsOf<ClaimedComposite> = {
  Softmax: (scope, node) =>
    rowKernel(scope, node, node.attrs.axis, ({ k, pass, element, result, store }) => {
      const peak = pass.fold('peak', maxOf('float32'), (l) => element(0, l))
      const total = pass.fold('total', sumOf('float32'), (l) => {
        const e = k.hold('e', `${k.use('exp_f32')}(${element(0, l)} - ${peak})`)
        store(l, e)
        return e
      })
      pass.each((l) => store(l, `${result(l)} / ${total}`))
    }),
  LogSoftmax: (scope, node) =>
    rowKernel(scope, node, node.attrs.axis, ({ k, pass, element, store }) => {
      const peak = pass.fold('peak', maxOf('float32'), (l) => element(0, l))
      const total = pass.fold(
        'total',
        sumOf('float32'),
        (l) => `${k.use('exp_f32')}(${element(0, l)} - ${peak})`,
      )
      const log = k.hold('log_total', `${k.use('log_f32')}(${total})`)
      pass.each((l) => store(l, `(${element(0, l)} - ${peak}) - ${log}`))
    }),
  LayerNorm: (scope, node) => {
    const length = scope.info(operandOf(node)).shape[node.attrs.axis] as number
    rowKernel(scope, node, node.attrs.axis, ({ k, pass, element, store }) => {
      const count = literal(k, length, 'float32')
      const sum = pass.fold('total', sumOf('float32'), (l) => element(0, l))
      const mean = k.hold('mean', `${sum} / ${count}`)
      const square = pass.fold('square', sumOf('float32'), (l) => {
        const centered = k.hold('centered', `${element(0, l)} - ${mean}`)
        return `${centered} * ${centered}`
      })
      const deviation = k.hold(
        'deviation',
        `sqrt(${square} / ${count} + ${literal(k, node.attrs.epsilon, 'float32')})`,
      )
      pass.each((l) =>
        store(l, `(${element(0, l)} - ${mean}) / ${deviation} * ${element(1, l)} + ${element(2, l)}`),
      )
    })
  },
}

/** Matrix products: batched, and grouped by row ranges that only the data knows. */
import { countOf } from '@fep-moe/core'
import { broadcastView, operandOf, resultOf, type View } from '@fep-moe/core/lowering'
import { SHARED_ROW, sumOf } from '../emit/row-pass.js'
import { Space } from '../emit/space.js'
import { term } from '../emit/wgsl-writer.js'
import type { LoweringsOf } from './lowering.js'
import { isTiled, tiledProduct } from './tiled-product.js'

/** Up to this many elements, a workgroup per element keeps more threads busy than tiles do. */
const FEW_ELEMENTS = 4096

const product = (a: string, b: string) => `${a} * ${b}`

export const products: LoweringsOf<'MatMul' | 'GroupedMatMul'> = {
  MatMul: (scope, node) => {
    const result = resultOf(node)
    const given = [scope.view(operandOf(node)), scope.view(operandOf(node, 1))] as const
    const { shape } = scope.info(result)
    const length = given[0].shape.at(-1) as number
    if (length === 0)
      return scope.define(result, { shape, tree: { kind: 'literal', dtype: 'float32', value: 0 } })
    const out = scope.allocate(result)
    scope.define(result, out)
    const lead = shape.slice(0, -2)
    const [m, n] = shape.slice(-2) as [number, number]
    const [a, b] = given.map((v) => broadcastView(v, [...lead, ...v.shape.slice(-2)])) as [View, View]
    // Seen over the result and the inner axis: a repeats along columns, b along rows.
    const over = (v: View, rows: number, columns: number, inner: number): View => ({
      ...v,
      shape: [...shape, length],
      strides: [...v.strides.slice(0, -2), rows, columns, inner],
    })
    const [x, y] = [
      over(a, a.strides.at(-2) as number, 0, a.strides.at(-1) as number),
      over(b, 0, b.strides.at(-1) as number, b.strides.at(-2) as number),
    ]
    const sharesRow = length >= SHARED_ROW && countOf(shape) <= FEW_ELEMENTS
    scope.kernel(`MatMul (${given[0].shape.join(', ')}) x (${given[1].shape.join(', ')})`, result, {
      items: shape,
      row: scope.row(result),
      ...(sharesRow && { length }),
      cost: 2 * length,
      team: !sharesRow && isTiled(countOf(lead), m, n, length) ? tiledProduct(a, b, out) : undefined,
      write: ({ k, space, pass }) => {
        const at = space([x, y, out])
        const element = (l: string) => {
          const along = new Space(k, l, [length], [x, y], { skip: shape.length })
          const [p, q] = [x, y].map((v) => k.load(v, k.index(v, [...at.terms(v), ...along.terms(v)])))
          return product(p as string, q as string)
        }
        if (sharesRow) {
          k.store(out, k.index(out, at.terms(out)), pass.fold('total', sumOf('float32'), element))
          return
        }
        const total = k.fresh('total')
        k.line(`var ${total} = 0.0f;`)
        const l = k.loop('l', `${length}u`)
        k.line(`${total} += ${element(l)};`)
        k.close()
        k.store(out, k.index(out, at.terms(out)), total)
      },
    })
  },
  GroupedMatMul: (scope, node) => {
    const result = resultOf(node)
    const [x, w, offsets] = [0, 1, 2].map((i) => scope.view(operandOf(node, i))) as [View, View, View]
    const out = scope.allocate(result)
    scope.define(result, out)
    const [rows, inner] = x.shape as [number, number]
    const groups = Math.max((offsets.shape[0] as number) - 1, 0)
    const isForward = node.attrs.mode === 'forward'
    const at = (v: View, ...indices: readonly string[]): string[] =>
      indices.flatMap((index, axis) =>
        v.strides[axis] === 0 ? [] : [term(index, v.strides[axis] as number)],
      )
    const next: View = { ...offsets, offset: offsets.offset + (offsets.strides[0] as number) }
    scope.kernel(`GroupedMatMul ${node.attrs.mode}`, result, {
      items: out.shape,
      cost: 2 * (isForward ? inner + groups : Math.ceil(rows / Math.max(groups, 1))),
      write: ({ k, space }) => {
        const item = space([out], [0, 1, 2].slice(0, out.shape.length))
        const [p, q, r] = [0, 1, 2].map((axis) => item.coordinate(axis)) as [string, string, string]
        const total = k.fresh('total')
        k.line(`var ${total} = 0.0f;`)
        const range = (e: string) => {
          const [start, stop] = [offsets, next].map((v) => k.load(v, k.index(v, at(v, e))))
          return [k.hold('start', `${start}`), k.hold('stop', `${stop}`)] as const
        }
        const add = (left: readonly [View, ...string[]], right: readonly [View, ...string[]]) => {
          const [f, g] = [left, right].map(([v, ...indices]) => k.load(v, k.index(v, at(v, ...indices))))
          k.line(`${total} += ${f} * ${g};`)
        }
        if (isForward && groups > 0) {
          const e = k.loop('e', `${groups}u`)
          const [start, stop] = range(e)
          k.open(`if (i32(${p}) >= ${start} && i32(${p}) < ${stop})`)
          const l = k.loop('l', `${inner}u`)
          add([x, p, l], [w, e, l, q])
          k.close()
          k.close()
          k.close()
        } else if (!isForward) {
          const [start, stop] = range(p)
          const l = k.loop('l', `u32(clamp(${stop}, 0i, ${rows}i))`, `u32(max(${start}, 0i))`)
          add([x, l, q], [w, l, r])
          k.close()
        }
        k.store(out, k.index(out, item.terms(out)), total)
      },
    })
  },
}

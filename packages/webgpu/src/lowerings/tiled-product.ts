/**
 * The large matrix product: a workgroup computes a tile of 32 x 32, each of its 64 threads 4 x 4 elements, and both
 * operands pass through workgroup memory 8 inner elements at a time. Tiles that reach over an edge read zeros there.
 */
import { countOf } from '@fep-moe/core'
import type { View } from '@fep-moe/core/lowering'
import { Space } from '../emit/space.js'
import { term } from '../emit/wgsl-writer.js'
import type { Team } from '../ir/module.js'

const TILE = 32
const DEPTH = 8
const THREADS = 64
/** Elements of a thread in either direction, a vector of WGSL. */
const OWN = 4

/** Multiply-adds below which a thread per element does as well, and a shader that is compiled sooner. */
const LEAST_WORK = 2 ** 19

/** True where tiles are mostly full, and enough. */
export const isTiled = (batch: number, m: number, n: number, k: number): boolean =>
  m >= TILE / 2 && n >= TILE / 2 && k >= DEPTH && batch * m * n * k >= LEAST_WORK

/** @param a (…, m, k), b (…, k, n), out (…, m, n), with equal axes in front */
export function tiledProduct(a: View, b: View, out: View): Team {
  const lead = out.shape.slice(0, -2)
  const [m, n] = out.shape.slice(-2) as [number, number]
  const depth = a.shape.at(-1) as number
  const across = Math.ceil(n / TILE)
  const tiles = Math.ceil(m / TILE) * across
  return {
    groups: countOf(lead) * tiles,
    size: THREADS,
    write: (k, group, lane) => {
      const batch = new Space(k, k.hold('batch', `${group} / ${tiles}u`), lead, [a, b, out])
      const tile = k.hold('tile', `${group} % ${tiles}u`)
      const top = k.hold('top', `(${tile} / ${across}u) * ${TILE}u`)
      const left = k.hold('left', `(${tile} % ${across}u) * ${TILE}u`)
      // Of each operand a slice: for every inner element, the rows or the columns of the tile.
      const [sharedA, sharedB] = [k.share('float32', DEPTH * TILE), k.share('float32', DEPTH * TILE)]
      const [x, y] = [k.hold('x', `${lane} % 8u`), k.hold('y', `${lane} / 8u`)]
      for (let i = 0; i < OWN; i++) k.line(`var total${i} = vec4<f32>();`)
      const d = k.loop('d', `${depth}u`, '0u', `${DEPTH}u`)
      const fill = k.loop('e', `${DEPTH * TILE}u`, lane, `${THREADS}u`)
      for (const [view, shared, first, own, inner, limit] of [
        [a, sharedA, top, -2, -1, m],
        [b, sharedB, left, -1, -2, n],
      ] as const) {
        // Neighboring threads read neighboring elements where one of the two strides is 1.
        const runsInner = view.strides.at(inner) === 1
        const part = k.hold('p', runsInner ? `${fill} / ${DEPTH}u` : `${fill} % ${TILE}u`)
        const at = k.hold('q', runsInner ? `${fill} % ${DEPTH}u` : `${fill} / ${TILE}u`)
        const [line, column] = [k.hold('u', `${first} + ${part}`), k.hold('v', `${d} + ${at}`)]
        const index = k.index(view, [
          ...batch.terms(view),
          ...terms(line, view.strides.at(own) as number),
          ...terms(column, view.strides.at(inner) as number),
        ])
        const isInside = `${line} < ${limit}u && ${column} < ${depth}u`
        k.line(`${shared}[${at} * ${TILE}u + ${part}] = select(0.0f, ${k.load(view, index)}, ${isInside});`)
      }
      k.close()
      k.line('workgroupBarrier();')
      const q = k.loop('q', `${DEPTH}u`)
      const vector = (shared: string, first: string) => {
        const at = k.hold('s', `${q} * ${TILE}u + ${first} * ${OWN}u`)
        return k.hold('f', `vec4<f32>(${[0, 1, 2, 3].map((i) => `${shared}[${at} + ${i}u]`).join(', ')})`)
      }
      const [f, g] = [vector(sharedA, y), vector(sharedB, x)]
      for (let i = 0; i < OWN; i++) k.line(`total${i} += ${f}[${i}] * ${g};`)
      k.close()
      k.line('workgroupBarrier();')
      k.close()
      const [row, column] = [k.hold('r', `${top} + ${y} * ${OWN}u`), k.hold('c', `${left} + ${x} * ${OWN}u`)]
      for (let i = 0; i < OWN; i++) {
        const j = k.loop('j', `${OWN}u`)
        k.open(`if (${row} + ${i}u < ${m}u && ${column} + ${j} < ${n}u)`)
        const index = k.index(out, [
          ...batch.terms(out),
          ...terms(`(${row} + ${i}u)`, out.strides.at(-2) as number),
          ...terms(`(${column} + ${j})`, out.strides.at(-1) as number),
        ])
        k.store(out, index, `total${i}[${j}]`)
        k.close()
        k.close()
      }
    },
  }
}

const terms = (variable: string, stride: number): string[] => (stride === 0 ? [] : [term(variable, stride)])

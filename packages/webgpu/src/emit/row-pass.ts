/** Work along a row: by one thread, or by all threads of a workgroup, which combine what they have in a tree. */
import type { DType } from '@fep-moe/core'
import type { WgslWriter } from './wgsl-writer.js'

/** How two partial results become one. */
export interface Fold {
  readonly dtype: DType
  combine(a: string, b: string): string
}

/** Steps along a row. What `fold` returns is known to all threads. */
export interface RowPass {
  fold(name: string, fold: Fold, element: (l: string) => string): string
  each(write: (l: string) => void): void
}

/** The sum of a dtype. */
export const sumOf = (dtype: DType): Fold => ({ dtype, combine: (a, b) => `${a} + ${b}` })
/** The largest element of a dtype. */
export const maxOf = (dtype: DType): Fold => ({ dtype, combine: (a, b) => `max(${a}, ${b})` })

/** Threads of a workgroup that shares a row. */
export const TEAM = 64

/** Rows from this length on are shared. */
export const SHARED_ROW = 256

/** One thread, element by element. @param length at least 1 */
export const threadPass = (k: WgslWriter, length: number): RowPass => ({
  fold: (name, { combine }, element) => {
    const total = k.fresh(name)
    k.line(`var ${total} = ${element('0u')};`)
    if (length > 1) {
      const l = k.loop('l', `${length}u`, '1u')
      k.line(`${total} = ${combine(total, element(l))};`)
      k.close()
    }
    return total
  },
  each: (write) => {
    write(k.loop('l', `${length}u`))
    k.close()
  },
})

/** All threads of a workgroup of {@link TEAM}. @param length at least TEAM */
export const teamPass = (k: WgslWriter, length: number, lane: string): RowPass => ({
  fold: (name, { dtype, combine }, element) => {
    const total = k.fresh(name)
    const shared = k.share(dtype, TEAM)
    k.line(`var ${total} = ${element(lane)};`)
    const l = k.loop('l', `${length}u`, `${lane} + ${TEAM}u`, `${TEAM}u`)
    k.line(`${total} = ${combine(total, element(l))};`)
    k.close()
    k.line(`${shared}[${lane}] = ${total};`)
    k.line('workgroupBarrier();')
    const half = k.fresh('half')
    k.open(`for (var ${half} = ${TEAM / 2}u; ${half} > 0u; ${half} /= 2u)`)
    k.open(`if (${lane} < ${half})`)
    k.line(`${shared}[${lane}] = ${combine(`${shared}[${lane}]`, `${shared}[${lane} + ${half}]`)};`)
    k.close()
    k.line('workgroupBarrier();')
    k.close()
    return k.hold(name, `${shared}[0]`)
  },
  each: (write) => {
    write(k.loop('l', `${length}u`, lane, `${TEAM}u`))
    k.close()
  },
})

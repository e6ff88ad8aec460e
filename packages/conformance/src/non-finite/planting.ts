/** Puts a number in one element, and finds out which results depend on that element. */
import type { Tensor } from '@fep-moe/core'
import { SPECIALS, type Subject, type Tensors } from './subject.js'

/** Where a number is put. */
export interface Place {
  readonly feed: string
  readonly index: number
}

/** Elements tried per operand where there are more than that: first, middle, last. */
const FEW = 6

/** The places of a subject: every element of a small operand, three of a large one. */
export function placesOf({ feeds }: Subject): Place[] {
  return Object.entries(feeds).flatMap(([feed, { dtype, data }]) => {
    if (dtype !== 'float32') return []
    const all = Array.from(data, (_, index) => index)
    const indices = all.length <= FEW ? all : [0, all.length >> 1, all.length - 1]
    return indices.map((index) => ({ feed, index }))
  })
}

/** The feeds with one element replaced. */
export function planted(feeds: Tensors, { feed, index }: Place, value: number): Tensors {
  const t = feeds[feed] as Tensor
  const data = t.data.slice() as Tensor['data']
  data[index] = value
  return { ...feeds, [feed]: { ...t, data } }
}

/** Marks elements of results. */
export type Marks = Readonly<Record<string, readonly boolean[]>>

/**
 * The elements that depend on one place: those that some number there changes. Numbers far out, zero, and all that the
 * feeds hold are tried, so that a comparison or a choice has a chance to fall the other way; and those that are not finite,
 * because a factor of 0 or a long decay hides the rest.
 */
export function dependents({ feeds, formula }: Subject, place: Place): Marks {
  const known = Object.values(feeds).flatMap(({ dtype, data }) =>
    dtype === 'float32' ? Array.from(data) : [],
  )
  const base = formula(feeds)
  const changed = Object.fromEntries(
    Object.entries(base).map(([name, { data }]) => [name, new Array<boolean>(data.length).fill(false)]),
  )
  for (const value of new Set([0, 1000, -1000, ...known.slice(0, 40), ...Object.values(SPECIALS)])) {
    for (const [name, { data }] of Object.entries(formula(planted(feeds, place, value)))) {
      const marks = changed[name] as boolean[]
      const before = (base[name] as Tensor).data
      for (let i = 0; i < marks.length; i++) if (data[i] !== before[i]) marks[i] = true
    }
  }
  return changed
}

/** Spreads marks over whole lanes along an axis. */
export function overLanes(marks: Marks, results: Tensors, axis: number): Marks {
  return Object.fromEntries(
    Object.entries(marks).map(([name, own]) => {
      const { shape } = results[name] as Tensor
      const inner = shape.slice(axis + 1).reduce((n, d) => n * d, 1)
      const length = shape[axis] ?? 1
      const laneOf = (i: number) => Math.floor(i / (inner * length)) * inner + (i % inner)
      const lanes = new Set(own.flatMap((marked, i) => (marked ? [laneOf(i)] : [])))
      return [name, own.map((_, i) => lanes.has(laneOf(i)))]
    }),
  )
}

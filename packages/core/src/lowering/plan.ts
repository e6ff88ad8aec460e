/**
 * Where every buffer lies in one arena. A buffer lives from the first stage that touches it to the last one; buffers that
 * live at the same time never overlap, others share a place.
 */
import type { Buffer } from './view.js'

/** A stage that touches buffers, or a loop over stages. */
export type TimedStage =
  | { readonly kind: 'kernel'; readonly buffers: ReadonlySet<Buffer> }
  | { readonly kind: 'loop'; readonly body: readonly TimedStage[] }

/** What decides how long buffers live. */
export interface Timeline {
  readonly stages: readonly TimedStage[]
  /** Needed when all stages are done. */
  readonly results: Iterable<Buffer>
  /** Written before the first stage: in use from the start until their last reader. */
  readonly given?: Iterable<Buffer>
  /** In use from the start to the end. */
  readonly always?: Iterable<Buffer>
  /** Buffers that lie in the arena. */
  readonly owns: (buffer: Buffer) => boolean
}

/** Stages at whose time a buffer is needed, both included. */
export interface Lifetime {
  first: number
  last: number
}

/**
 * Lifetimes in program order. What a loop shares with the outside (values it reads, states, its results) lives as long as
 * the loop; what only its body touches lives within a step.
 */
export function lifetimesOf({
  stages,
  results,
  given = [],
  always = [],
  owns,
}: Timeline): Map<Buffer, Lifetime> {
  const lifetimes = new Map<Buffer, Lifetime>()
  const loops: { start: number; end: number; buffers: ReadonlySet<Buffer> }[] = []
  let time = 0
  const touch = (buffer: Buffer) => {
    const { first = time } = lifetimes.get(buffer) ?? {}
    if (owns(buffer)) lifetimes.set(buffer, { first, last: time })
  }
  const visit = (list: readonly TimedStage[]): Set<Buffer> => {
    const touched = new Set<Buffer>()
    for (const stage of list) {
      const start = time
      const buffers = stage.kind === 'kernel' ? stage.buffers : visit(stage.body)
      for (const buffer of buffers) touched.add(buffer)
      if (stage.kind === 'loop') loops.push({ start, end: time, buffers })
      else for (const buffer of buffers) touch(buffer)
      time++
    }
    return touched
  }
  visit(stages)
  for (const buffer of results) touch(buffer)
  for (const buffer of given) {
    const life = lifetimes.get(buffer)
    if (life) life.first = 0
  }
  for (const buffer of always) lifetimes.set(buffer, { first: 0, last: time })
  // Inner loops come first in the list, so what they extend is seen by the loops around them.
  for (const { start, end, buffers } of loops) {
    for (const buffer of buffers) {
      const life = lifetimes.get(buffer)
      if (life && (life.first < start || life.last > end))
        lifetimes.set(buffer, { first: Math.min(life.first, start), last: Math.max(life.last, end) })
    }
  }
  return lifetimes
}

/** Placement of buffers, in the units in which their sizes are given. */
export interface Placement {
  /** Size of the arena. */
  readonly size: number
  readonly offsets: ReadonlyMap<Buffer, number>
}

/**
 * Places buffers, the largest first, each at the lowest free offset (greedy by size: Pisarchyk & Lee 2020, Efficient
 * Memory Management for Deep Neural Net Inference).
 * @param sizeOf what a buffer takes, rounded up to a multiple of what it must be aligned to
 */
export function placeBuffers(
  lifetimes: ReadonlyMap<Buffer, Lifetime>,
  sizeOf: (buffer: Buffer) => number,
): Placement {
  const offsets = new Map<Buffer, number>()
  const placed: { from: number; to: number; life: Lifetime }[] = []
  const bySize = [...lifetimes].sort(([a], [b]) => sizeOf(b) - sizeOf(a))
  let arena = 0
  for (const [buffer, life] of bySize) {
    const size = sizeOf(buffer)
    let at = 0
    // `placed` is in order of offsets: the first gap that is wide enough is the lowest.
    for (const other of placed) {
      if (other.life.last < life.first || other.life.first > life.last) continue
      if (other.from - at >= size) break
      at = Math.max(at, other.to)
    }
    offsets.set(buffer, at)
    const place = placed.findIndex(({ from }) => from > at)
    placed.splice(place < 0 ? placed.length : place, 0, { from: at, to: at + size, life })
    arena = Math.max(arena, at + size)
  }
  return { size: arena, offsets }
}

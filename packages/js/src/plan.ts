/**
 * Where every buffer lies in one arena. A buffer lives from the first stage that touches it to the last one; buffers that
 * live at the same time never overlap, others share bytes.
 */
import type { Module, Stage } from './ir/module.js'
import type { Buffer } from './ir/view.js'

/** Placement of all buffers of a module. */
export interface Plan {
  /** Size of the arena in bytes: all memory of the program, and its packed matrices. */
  readonly bytes: number
  /** Byte offsets. */
  readonly offsets: ReadonlyMap<Buffer, number>
}

/** Stages at whose time a buffer is needed, both included. */
export interface Lifetime {
  first: number
  last: number
}

/** Every buffer starts a cache line, which also satisfies every typed array. */
const ALIGNMENT = 64

const BYTES = { float32: 4, int32: 4, bool: 1, float64: 8 } as const

/** Bytes a buffer takes, rounded up. */
export const bytesOf = ({ dtype, length }: Buffer): number =>
  Math.ceil((length * BYTES[dtype]) / ALIGNMENT) * ALIGNMENT

/**
 * Lifetimes in program order; a matrix is always needed. What a loop shares with the outside (values it reads, states, its results) lives as long as
 * the loop; what only its body touches lives within a step.
 */
export function lifetimesOf(module: Module): ReadonlyMap<Buffer, Lifetime> {
  const lifetimes = new Map<Buffer, Lifetime>()
  const loops: { start: number; end: number; buffers: ReadonlySet<Buffer> }[] = []
  let time = 0
  const touch = (buffer: Buffer) => {
    const { first = time } = lifetimes.get(buffer) ?? {}
    if (buffer.kind === 'memory') lifetimes.set(buffer, { first, last: time })
  }
  const visit = (stages: readonly Stage[]): Set<Buffer> => {
    const touched = new Set<Buffer>()
    for (const stage of stages) {
      const start = time
      const buffers = stage.kind === 'kernel' ? stage.buffers : visit(stage.body)
      for (const buffer of buffers) touched.add(buffer)
      if (stage.kind === 'loop') loops.push({ start, end: time, buffers })
      else for (const buffer of buffers) touch(buffer)
      time++
    }
    return touched
  }
  visit(module.stages)
  for (const { view } of module.outputs) touch(view.buffer)
  for (const { buffer } of module.matrices) lifetimes.set(buffer, { first: 0, last: time })
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

/**
 * Places buffers, the largest first, each at the lowest free offset (greedy by size: Pisarchyk & Lee 2020, Efficient
 * Memory Management for Deep Neural Net Inference).
 */
export function planMemory(lifetimes: ReadonlyMap<Buffer, Lifetime>): Plan {
  const offsets = new Map<Buffer, number>()
  const placed: { from: number; to: number; life: Lifetime }[] = []
  const bySize = [...lifetimes].sort(([a], [b]) => bytesOf(b) - bytesOf(a))
  let bytes = 0
  for (const [buffer, life] of bySize) {
    const size = bytesOf(buffer)
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
    bytes = Math.max(bytes, at + size)
  }
  return { bytes, offsets }
}

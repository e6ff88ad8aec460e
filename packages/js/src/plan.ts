/** Where every buffer of a module lies in one arena. */
import { type Buffer, type Lifetime, lifetimesOf as lifetimesOn, placeBuffers } from '@fep-moe/core/lowering'
import type { Module } from './ir/module.js'

/** Placement of all buffers of a module. */
export interface Plan {
  /** Size of the arena in bytes: all memory of the program, and its packed matrices. */
  readonly bytes: number
  /** Byte offsets. */
  readonly offsets: ReadonlyMap<Buffer, number>
}

/** Every buffer starts a cache line, which also satisfies every typed array. */
const ALIGNMENT = 64

const BYTES = { float32: 4, int32: 4, bool: 1, float64: 8 } as const

/** Bytes a buffer takes, rounded up. */
export const bytesOf = ({ dtype, length }: Buffer): number =>
  Math.ceil((length * BYTES[dtype]) / ALIGNMENT) * ALIGNMENT

/** Lifetimes in program order; a matrix is always needed. */
export const lifetimesOf = ({
  stages,
  outputs,
  matrices,
}: Pick<Module, 'stages' | 'outputs' | 'matrices'>): ReadonlyMap<Buffer, Lifetime> =>
  lifetimesOn({
    stages,
    results: outputs.map(({ view }) => view.buffer),
    always: matrices.map(({ buffer }) => buffer),
    owns: ({ kind }) => kind === 'memory',
  })

/** Places the buffers of a module. */
export function planMemory(lifetimes: ReadonlyMap<Buffer, Lifetime>): Plan {
  const { size, offsets } = placeBuffers(lifetimes, bytesOf)
  return { bytes: size, offsets }
}

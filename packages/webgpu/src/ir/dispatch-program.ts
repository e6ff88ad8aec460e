import type { DType } from '@fep-moe/core'

/** One kernel launch: a whole WGSL module and where its data lie. Plain data, no device. */
export interface Dispatch {
  /** The values that it makes and the operators that made them, `z: Add, Sigmoid`, for readers and GPU tools. */
  readonly label: string
  /** The whole module; the entry point is `main`. Kernels that differ only in places have equal text. */
  readonly wgsl: string
  /** Workgroups along x, y and z, each at least 1 and at most the limit of the device (65,535 unless stated). */
  readonly workgroups: readonly [number, number, number]
  /**
   * The kernel's uniform: offsets of its views in words, numbers of steps. The length is a multiple of 4, and 0 only
   * where the text declares no uniform.
   */
  readonly words: Uint32Array
  /** Estimated scalar operations, for splitting submissions. */
  readonly cost: number
}

/** A tensor at the edge of a program. */
export interface Port {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Place in the arena, in words. */
  readonly offset: number
  /** Elements, one word each: float32 bits, int32 bits, or 0 and 1 for bool. */
  readonly count: number
}

/** What a graph becomes: dispatches in order over one arena of 32-bit words. */
export interface DispatchProgram {
  readonly name: string
  readonly arenaWords: number
  /** Written once, before the first run; no dispatch overwrites them. */
  readonly constants: readonly { readonly offset: number; readonly data: Uint32Array }[]
  /** Only those that something reads; their places are written before the first dispatch. */
  readonly inputs: readonly Port[]
  /** Contiguous. Two outputs may share a place; an output may share its place with an input. */
  readonly outputs: readonly Port[]
  readonly dispatches: readonly Dispatch[]
}

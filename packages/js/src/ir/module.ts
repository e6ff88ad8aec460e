/** What a graph is lowered to: kernels in order, some of them in loops, and the buffers they share. */
import type { DType, Tensor } from '@fep-moe/core'
import type { Buffer, View } from '@fep-moe/core/lowering'

/** One function of the generated module. */
export interface Kernel {
  readonly kind: 'kernel'
  readonly name: string
  /** What it computes, for readers of the generated code. */
  readonly label: string
  readonly buffers: ReadonlySet<Buffer>
  /** Variables of enclosing loops that it takes. */
  readonly variables: readonly string[]
  readonly body: string
}

/** A Scan: its body once per step. */
export interface Loop {
  readonly kind: 'loop'
  readonly variable: string
  readonly steps: number
  readonly reverse: boolean
  readonly body: readonly Stage[]
}

/** A thing to run. */
export type Stage = Kernel | Loop

/** A buffer whose elements are known. */
export interface ConstantBuffer {
  readonly buffer: Buffer
  readonly data: Tensor['data']
}

/** A constant matrix for the kernel of matvec/. */
export interface PackedMatrix {
  /** Its place. */
  readonly buffer: Buffer
  /** (m, k), over `data`. */
  readonly matrix: View
  readonly data: Tensor['data']
}

/** A lowered graph. */
export interface Module {
  readonly name: string
  readonly stages: readonly Stage[]
  /** Buffers of feeds, by input name; only those that something reads. */
  readonly feeds: ReadonlyMap<string, Buffer>
  /** Only those that something reads element by element. */
  readonly constants: readonly ConstantBuffer[]
  readonly matrices: readonly PackedMatrix[]
  /** Buffers that need a place in memory. */
  readonly memory: readonly Buffer[]
  /** Contiguous, and never a feed. */
  readonly outputs: readonly {
    readonly name: string
    readonly dtype: DType
    readonly shape: readonly number[]
    readonly view: View
  }[]
}

/** The buffers that stages touch. */
export const buffersOf = (stages: readonly Stage[]): Set<Buffer> =>
  new Set(stages.flatMap((stage) => [...(stage.kind === 'loop' ? buffersOf(stage.body) : stage.buffers)]))

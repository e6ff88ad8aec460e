/** What a graph is lowered to, before anything has a place: kernels in order, some of them in loops. */
import type { DType, Tensor } from '@fep-moe/core'
import type { Buffer, View } from '@fep-moe/core/lowering'
import type { WgslWriter } from '../emit/wgsl-writer.js'

/** A kernel of one workgroup per item, whose threads work together. */
export interface Team {
  readonly groups: number
  readonly size: number
  /** Writes the work of one workgroup; `group` and `lane` are variables. */
  write(k: WgslWriter, group: string, lane: string): void
}

/** Independent items of work. One thread does an item, in any order; all of them are there before the next stage reads. */
export interface Kernel {
  readonly kind: 'kernel'
  /** What it computes, for readers. */
  readonly label: string
  readonly reads: ReadonlySet<Buffer>
  readonly writes: ReadonlySet<Buffer>
  readonly items: number
  /** Estimated scalar operations of one item. */
  readonly cost: number
  /** Steps of a recurrence that several dispatches may share; each does `start`..`stop`. */
  readonly steps?: number
  /** Writes the work of one item; `item` is a variable. */
  write(k: WgslWriter, item: string): void
  /** Another form, for a dispatch of its own. */
  readonly team?: Team
}

/** A body once per step: one dispatch per kernel and step. */
export interface Loop {
  readonly kind: 'loop'
  readonly variable: string
  readonly steps: number
  readonly reverse: boolean
  readonly body: readonly Stage[]
}

/** A loop over phases. */
export interface PhaseLoop extends Omit<Loop, 'body'> {
  readonly body: readonly Phase[]
}

/** A part of a {@link Block}. */
export type Phase = Kernel | PhaseLoop

/** A recurrence in one kernel: each workgroup does all steps for its row of the batch, phase by phase. */
export interface Block {
  readonly kind: 'block'
  readonly label: string
  /** Done before the first step. */
  readonly before: readonly Kernel[]
  readonly loop: PhaseLoop
  /** Workgroups; the variable `row` is the number of one. */
  readonly rows: number
}

/** A thing to run. */
export type Stage = Kernel | Block | Loop

/** A buffer whose elements are known. */
export interface ConstantBuffer {
  readonly buffer: Buffer
  readonly data: Tensor['data']
}

/** A tensor at the edge of a module. */
export interface Edge {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly view: View
}

/** A lowered graph. */
export interface Module {
  readonly name: string
  readonly stages: readonly Stage[]
  /** Only those that something reads. */
  readonly inputs: readonly Edge[]
  readonly constants: readonly ConstantBuffer[]
  /** Contiguous. */
  readonly outputs: readonly Edge[]
}

/** The kernels of stages, those in loops too. */
export const kernelsOf = (stages: readonly Stage[]): Kernel[] =>
  stages.flatMap((stage) => {
    if (stage.kind === 'kernel') return [stage]
    return kernelsOf(stage.kind === 'loop' ? stage.body : [...stage.before, stage.loop])
  })

/** The buffers that stages touch. */
export const buffersOf = (stages: readonly Stage[]): Set<Buffer> =>
  new Set(kernelsOf(stages).flatMap(({ reads, writes }) => [...reads, ...writes]))

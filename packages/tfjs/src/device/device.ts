/**
 * A tfjs backend as lowerings see it: kernels, handles, and host memory where the elements are there. Kernels are called
 * directly, not through tfjs's engine: the engine would need its global active backend switched for every run, and
 * would keep every intermediate tensor in a scope until the end.
 */
import type { DType, TensorData } from '@fep-moe/core'
import type * as tfjs from '@tensorflow/tfjs-core'
import type { TfjsName } from '../runtime/names.js'

/** The module `@tensorflow/tfjs-core`. */
export type Tfjs = typeof tfjs

/** A tensor on the device: tfjs's own description, whose owner must release it once. */
export type Handle = tfjs.TensorInfo

/** Operands of a kernel: by name, or a list (Concat). */
export type Operands = Readonly<Record<string, Handle>> | readonly Handle[]

/** A kernel of the device. */
export type Kernel = (operands: Operands, attrs?: Readonly<Record<string, unknown>>) => Handle
/** A kernel with several results. */
export type MultiKernel = (operands: Operands, attrs?: Readonly<Record<string, unknown>>) => readonly Handle[]

/** The type and shape of a result. */
export interface Layout {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** A loop over elements in host memory. It must write every element of its results. */
export type Loop = (operands: readonly TensorData[], results: readonly TensorData[]) => void

/** See the file's header. What kernels, `reshape`, `upload` and `loop` make belongs to the current step; see `sweep`. */
export interface Device {
  readonly name: TfjsName
  readonly tf: Tfjs
  /** Elements are in host memory: loops and synchronous reads. */
  readonly host: boolean
  /** Loops work on the elements where they are; otherwise they work on copies. */
  readonly inPlace: boolean
  /** An upload keeps the caller's array, or reading gives the tensor's own. */
  readonly sharesArrays: boolean
  /** A product reads a transposed operand as fast as a plain one. */
  readonly transposesInProducts: boolean
  /** Most axes that its kernels take. */
  readonly maxRank: number
  has(kernel: string): boolean
  /** @throws FEP_UNSUPPORTED_OP where tfjs has no such kernel here */
  kernel(name: string): Kernel
  /** As `kernel`. */
  multiKernel(name: string): MultiKernel
  /** Host data on the device; see `sharesArrays`. */
  upload(layout: Layout, data: TensorData): Handle
  /** The same elements in another shape. */
  reshape(x: Handle, shape: readonly number[]): Handle
  /** As `reshape`, for a kernel's operand only: no new owner where the device needs none. */
  view(x: Handle, shape: readonly number[]): Handle
  /** Runs a loop; only where `host`. */
  loop(operands: readonly Handle[], results: readonly Layout[], body: Loop): readonly Handle[]
  /** The elements, valid until the device allocates; only where `host`. */
  read(x: Handle): TensorData
  release(x: Handle): void
  /** Position in the list of what the current step made. */
  mark(): number
  /** Releases what was made since `mark`, except `kept`, which get another owner. */
  sweep(mark: number, kept: readonly Handle[]): void
  /** A tensor that tfjs knows and that no scope disposes. */
  adopt(x: Handle): tfjs.Tensor
  /** Runs synchronous work with everything it needs in place. */
  section<R>(work: () => R): R
}

/** Several kernels by name. @throws FEP_UNSUPPORTED_OP */
export function kernels<const N extends string>(device: Device, ...names: N[]): Readonly<Record<N, Kernel>> {
  return Object.fromEntries(names.map((name) => [name, device.kernel(name)])) as Record<N, Kernel>
}

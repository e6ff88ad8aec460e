/** tfjs's cpu and wasm backends: elements are in host memory, and loops run on them in place. */
import { allocate, countOf, type DType, type TensorData } from '@fep-moe/core'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import type { Device, Handle, Layout, Tfjs } from './device.js'
import { DirectDevice } from './direct-device.js'

/** Reshaping shares the data. */
abstract class HostDevice extends DirectDevice {
  readonly host = true
  readonly inPlace = true

  reshape(x: Handle, shape: readonly number[]): Handle {
    this.backend.incRef(x.dataId)
    return this.own({ dataId: x.dataId, shape: shape as number[], dtype: x.dtype })
  }

  view(x: Handle, shape: readonly number[]): Handle {
    return { dataId: x.dataId, shape: shape as number[], dtype: x.dtype }
  }
}

/** The part of tfjs-backend-cpu's class that gives access to its memory. */
interface CpuMemory extends KernelBackend {
  readonly data: { get(id: Handle['dataId']): { readonly values: TensorData } }
}

/** tfjs-backend-cpu: a tensor is a typed array. */
export class CpuDevice extends HostDevice {
  readonly maxRank = Number.POSITIVE_INFINITY
  readonly sharesArrays = true
  readonly transposesInProducts = true
  private readonly memory: CpuMemory

  constructor(tf: Tfjs, backend: KernelBackend) {
    super(tf, 'cpu', backend)
    this.memory = backend as CpuMemory
  }

  loop(...[operands, results, body]: Parameters<Device['loop']>): readonly Handle[] {
    const arrays = results.map(({ dtype, shape }) => allocate(dtype, countOf(shape)))
    body(
      operands.map((x) => this.read(x)),
      arrays,
    )
    return results.map((layout, i) => this.upload(layout, arrays[i] as TensorData))
  }

  read(x: Handle): TensorData {
    return this.memory.data.get(x.dataId).values
  }
}

/** The part of tfjs-backend-wasm's class that gives access to its memory. */
interface WasmMemory extends KernelBackend {
  makeOutput(shape: readonly number[], dtype: DType): Handle
  typedArrayFromHeap(x: Handle): TensorData
}

/** tfjs-backend-wasm: a tensor is a range of the module's memory. */
export class WasmDevice extends HostDevice {
  /** XNNPACK's; beyond it, kernels leave their results as they found them. */
  readonly maxRank = 6
  readonly sharesArrays = false
  /** Its fast product (XNNPACK) takes plain operands only. */
  readonly transposesInProducts = false
  private readonly memory: WasmMemory

  constructor(tf: Tfjs, backend: KernelBackend) {
    super(tf, 'wasm', backend)
    this.memory = backend as WasmMemory
  }

  loop(...[operands, results, body]: Parameters<Device['loop']>): readonly Handle[] {
    // Memory that grows moves: every array is taken after the last allocation.
    const made = results.map(({ dtype, shape }: Layout) => this.own(this.memory.makeOutput(shape, dtype)))
    body(
      operands.map((x) => this.read(x)),
      made.map((x) => this.read(x)),
    )
    return made
  }

  read(x: Handle): TensorData {
    return this.memory.typedArrayFromHeap(x)
  }
}

/** tfjs backends whose kernels need nothing but themselves: cpu, wasm, webgl, webgpu. */
import type { TensorData } from '@fep-moe/core'
import type { KernelBackend, Tensor } from '@tensorflow/tfjs-core'
import { BaseDevice } from './base.js'
import type { Device, Handle, Kernel, Layout, Tfjs } from './device.js'

/** Kernels return plain descriptions, and the backend counts references to their data. */
export abstract class DirectDevice extends BaseDevice implements Device {
  abstract readonly host: boolean
  abstract readonly inPlace: boolean
  abstract readonly sharesArrays: boolean
  abstract readonly transposesInProducts: boolean
  abstract readonly maxRank: number

  protected claim(x: Handle): Handle {
    return x
  }

  release(x: Handle): void {
    this.backend.disposeData(x.dataId)
  }

  abstract reshape(x: Handle, shape: readonly number[]): Handle
  abstract view(x: Handle, shape: readonly number[]): Handle
  abstract loop(...args: Parameters<Device['loop']>): readonly Handle[]
  abstract read(x: Handle): TensorData

  adopt(x: Handle): Tensor {
    return this.tf.keep(this.tf.engine().makeTensorFromTensorInfo(x, this.backend))
  }

  section<R>(work: () => R): R {
    return work()
  }
}

/** webgl and webgpu: elements are on the graphics card. */
export class GpuDevice extends DirectDevice {
  readonly host = false
  readonly inPlace = false
  readonly sharesArrays = false
  readonly transposesInProducts = true
  readonly maxRank = 6
  private readonly reshapeKernel: Kernel

  constructor(tf: Tfjs, name: 'webgl' | 'webgpu', backend: KernelBackend) {
    super(tf, name, backend)
    this.reshapeKernel = this.kernel('Reshape')
  }

  /** Data is sent when a kernel first reads it, and the caller may write to its array before that. */
  override upload(layout: Layout, data: TensorData): Handle {
    return super.upload(layout, data.slice() as TensorData)
  }

  reshape(x: Handle, shape: readonly number[]): Handle {
    return this.reshapeKernel({ x }, { shape })
  }

  view(x: Handle, shape: readonly number[]): Handle {
    return this.reshape(x, shape)
  }

  loop(): never {
    throw new TypeError(`elements of '${this.name}' are not in host memory`)
  }

  read(): never {
    throw new TypeError(`elements of '${this.name}' are not in host memory`)
  }
}

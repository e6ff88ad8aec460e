/** tfjs-node: TensorFlow's own kernels. They make tensors of tfjs's engine, so the engine has to be on this backend. */
import { allocate, countOf, type TensorData } from '@fep-moe/core'
import type { KernelBackend, Tensor } from '@tensorflow/tfjs-core'
import { registryName } from '../runtime/names.js'
import { BaseDevice } from './base.js'
import type { Device, Handle, Kernel, Tfjs } from './device.js'

/** Every handle is a tensor that the engine tracks. */
export class NodeDevice extends BaseDevice implements Device {
  readonly host = true
  readonly inPlace = false
  readonly sharesArrays = true
  readonly transposesInProducts = true
  /** TensorFlow's broadcasting and transposing kernels take 8 axes after merging what can be merged. */
  readonly maxRank = 8
  private readonly reshapeKernel: Kernel
  private readonly identity: Kernel

  constructor(tf: Tfjs, backend: KernelBackend) {
    super(tf, 'node', backend)
    this.reshapeKernel = this.kernel('Reshape')
    this.identity = this.kernel('Identity')
  }

  protected claim(x: Handle): Handle {
    return x instanceof this.tf.Tensor ? x : this.tf.engine().makeTensorFromTensorInfo(x, this.backend)
  }

  release(x: Handle): void {
    ;(x as Tensor).dispose()
  }

  reshape(x: Handle, shape: readonly number[]): Handle {
    const same = x.shape.length === shape.length && x.shape.every((d, i) => d === shape[i])
    return same ? this.identity({ x }) : this.reshapeKernel({ x }, { shape })
  }

  view(x: Handle, shape: readonly number[]): Handle {
    return this.reshape(x, shape)
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
    return this.backend.readSync(x.dataId) as TensorData
  }

  adopt(x: Handle): Tensor {
    return this.tf.keep(x as Tensor)
  }

  section<R>(work: () => R): R {
    const engine = this.tf.engine()
    const active = engine.backendName
    const own = registryName(this.name)
    // For a backend that is there already, setBackend does all of its work before it returns its promise.
    if (active !== own) void this.tf.setBackend(own)
    engine.startScope('fep-moe')
    try {
      return work()
    } finally {
      engine.endScope()
      if (active && active !== own) void this.tf.setBackend(active)
    }
  }
}

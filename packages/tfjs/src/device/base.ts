/** What all devices share: the list of handles that belong to the current step. */
import { FepError, type TensorData } from '@fep-moe/core'
import type { KernelBackend, KernelFunc, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core'
import { registryName, type TfjsName } from '../runtime/names.js'
import type { Handle, Kernel, Layout, MultiKernel, Operands, Tfjs } from './device.js'

/** See `Device`. */
export abstract class BaseDevice {
  private readonly made: Handle[] = []

  constructor(
    readonly tf: Tfjs,
    readonly name: TfjsName,
    protected readonly backend: KernelBackend,
  ) {}

  /** Makes a result of a kernel something that `release` can free. */
  protected abstract claim(x: Handle): Handle
  abstract release(x: Handle): void

  has(kernel: string): boolean {
    return this.tf.getKernel(kernel, registryName(this.name)) !== undefined
  }

  kernel(name: string): Kernel {
    const run = this.kernelFunc(name)
    return (operands, attrs) => this.own(this.claim(run(this.call(operands, attrs)) as Handle))
  }

  multiKernel(name: string): MultiKernel {
    const run = this.kernelFunc(name)
    return (operands, attrs) =>
      (run(this.call(operands, attrs)) as Handle[]).map((x) => this.own(this.claim(x)))
  }

  upload({ dtype, shape }: Layout, data: TensorData): Handle {
    const dataId = this.backend.write(data as Float32Array, shape as number[], dtype)
    return this.own(this.claim({ dataId, shape: shape as number[], dtype }))
  }

  mark(): number {
    return this.made.length
  }

  sweep(mark: number, kept: readonly Handle[]): void {
    for (let i = this.made.length - 1; i >= mark; i--) {
      const x = this.made[i] as Handle
      if (!kept.includes(x)) this.release(x)
    }
    this.made.length = mark
  }

  protected own<T extends Handle | Tensor>(x: T): T {
    this.made.push(x)
    return x
  }

  private kernelFunc(name: string): KernelFunc {
    const config = this.tf.getKernel(name, registryName(this.name))
    if (!config)
      throw new FepError(
        'FEP_UNSUPPORTED_OP',
        `tfjs has no kernel '${name}' for its backend '${registryName(this.name)}'`,
      )
    return config.kernelFunc
  }

  private call(operands: Operands, attrs: Readonly<Record<string, unknown>> | undefined) {
    return { inputs: operands as never, attrs: (attrs ?? {}) as NamedAttrMap, backend: this.backend }
  }
}

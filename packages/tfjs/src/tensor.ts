/** Results of a run: tf.Tensors that no scope disposes. */
import { type DeviceTensor, type DType, FepError, type TensorData } from '@fep-moe/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Device } from './device/device.js'

/** A result on a tfjs backend. It is an ordinary `tf.Tensor`, kept: dispose it here or there, once. */
export class TfjsTensor implements DeviceTensor {
  /** Present where the elements are in host memory. */
  declare readonly readSync?: () => TensorData

  constructor(
    /** The tensor, for use with tfjs itself. */
    readonly tensor: Tensor,
    readonly dtype: DType,
    /** @internal */
    readonly device: Device,
  ) {
    if (device.host) this.readSync = () => this.alive().dataSync() as TensorData
  }

  get shape(): readonly number[] {
    return this.tensor.shape
  }

  async read(): Promise<TensorData> {
    return (await this.alive().data()) as TensorData
  }

  dispose(): void {
    this.tensor.dispose()
  }

  /** @throws FEP_DISPOSED */
  alive(): Tensor {
    if (this.tensor.isDisposed)
      throw new FepError('FEP_DISPOSED', 'this tensor was disposed; read it before, or run again')
    return this.tensor
  }
}

/** Tensors on both sides of a run, without copies: what one run returns feeds the next as it is. */
import type { DeviceTensor, DType, Feed, Tensor as HostTensor, TensorData } from '@fep-moe/core'
import type { Tensor } from 'onnxruntime-common'
import type { OnnxRuntime } from './runtime.js'

/** A result of a run. Its elements are in host memory, owned by the garbage collector. */
export class OnnxTensor implements DeviceTensor, HostTensor {
  constructor(
    /** The runtime's own tensor. */
    readonly value: Tensor,
    readonly dtype: DType,
  ) {}

  get shape(): readonly number[] {
    return this.value.dims
  }

  get data(): TensorData {
    return this.value.data as TensorData
  }

  readSync(): TensorData {
    return this.value.data as TensorData
  }

  async read(): Promise<TensorData> {
    return this.value.data as TensorData
  }

  dispose(): void {
    // Nothing to free: the elements are an ordinary typed array.
  }
}

/** A feed as the runtime takes it. Host tensors are wrapped around their typed array. */
export function toRuntime(runtime: OnnxRuntime, feed: Feed): Tensor {
  if (feed instanceof OnnxTensor) return feed.value
  const { dtype, shape, data } = feed as HostTensor
  return new runtime.Tensor(dtype, data as Tensor.DataType, shape)
}

/** Host data dressed as a device tensor: what CPU executors return. */
import type { Tensor } from '../tensor.js'
import type { DeviceTensor, Feed } from './contract.js'

/** Wraps a host tensor. `dispose` does nothing: the garbage collector owns it. */
export function hostTensor({ dtype, shape, data }: Tensor): DeviceTensor & Tensor {
  return { dtype, shape, data, read: async () => data, readSync: () => data, dispose: () => undefined }
}

/** True for tensors whose elements are in host memory. */
export function isHostTensor(feed: Feed): feed is Tensor {
  return 'data' in feed && ArrayBuffer.isView(feed.data)
}

/** Copies a tensor to the host. */
export async function toHost(t: Feed): Promise<Tensor> {
  return isHostTensor(t)
    ? { dtype: t.dtype, shape: t.shape, data: t.data }
    : { dtype: t.dtype, shape: t.shape, data: await t.read() }
}

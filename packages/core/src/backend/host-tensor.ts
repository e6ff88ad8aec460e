/** Host data dressed as a device tensor: what CPU executors return. */
import type { Tensor } from '../tensor.js'
import type { DeviceTensor, Feed, Fetches } from './contract.js'

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

/** Copies all results of a run to the host, and frees what the device held of them. */
export async function takeAll(fetched: Fetches): Promise<Record<string, Tensor>> {
  const entries = await Promise.all(
    Object.entries(fetched).map(async ([name, t]) => [name, await toHost(t)] as const),
  )
  for (const t of Object.values(fetched)) t.dispose()
  return Object.fromEntries(entries)
}

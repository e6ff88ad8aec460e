/** Feeds on their way into the arena. */
import { type Feed, type Feeds, isHostTensor, type TensorData, toHost } from '@fep-moe/core'
import type { Port } from '../ir/dispatch-program.js'
import { WebgpuTensor } from '../tensor.js'
import type { GpuBuffer, GpuCommandEncoder } from './api.js'
import type { Device } from './device.js'
import type { Usage } from './usage.js'
import { toWords, WORD } from './words.js'

/** Host tensors, and tensors of one device that stay as they are until `release`. */
export interface FeedsOnDevice {
  readonly feeds: Feeds
  release(): void
}

/** Feeds with those of other executors read; undefined where nothing has to be waited for. */
export function foreign(feeds: Feeds, usage: Usage): Promise<Feeds> | undefined {
  const isHere = (feed: Feed) =>
    isHostTensor(feed) || (feed instanceof WebgpuTensor && feed.device.usage === usage)
  if (Object.values(feeds).every(isHere)) return undefined
  const entries = Object.entries(feeds).map(
    async ([name, feed]) => [name, isHere(feed) ? feed : await toHost(feed)] as const,
  )
  return Promise.all(entries).then(Object.fromEntries)
}

/** @throws FEP_DISPOSED, FEP_DEVICE_LOST where a tensor is gone */
export function holdFeeds(feeds: Feeds): FeedsOnDevice {
  const tensors = Object.values(feeds).filter((feed) => feed instanceof WebgpuTensor)
  for (const t of tensors) t.alive()
  const holds = tensors.map((t) => t.hold())
  return {
    feeds,
    release: () => {
      for (const release of holds) release()
    },
  }
}

/** Puts feeds in their places: host arrays through the queue, tensors by a copy on the device. */
export function writeFeeds(
  { gpu }: Device,
  encoder: GpuCommandEncoder,
  arena: GpuBuffer,
  inputs: readonly Port[],
  { feeds }: FeedsOnDevice,
): void {
  for (const { name, dtype, offset, count } of inputs) {
    const feed = feeds[name] as Feed
    if (count === 0) continue
    if (feed instanceof WebgpuTensor)
      encoder.copyBufferToBuffer(feed.buffer as never, 0, arena as never, offset * WORD, count * WORD)
    else {
      const words = toWords(dtype, (feed as { readonly data: TensorData }).data)
      gpu.queue.writeBuffer(arena as never, offset * WORD, words as never)
    }
  }
}

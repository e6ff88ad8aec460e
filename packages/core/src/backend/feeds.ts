/** Feed validation, once for every backend. */
import { FepError, show } from '../errors.js'
import { bindShape, countOf, extent, formatShape } from '../graph/shape.js'
import type { Graph, ValueInfo } from '../graph/types.js'
import type { Tensor } from '../tensor.js'
import type { Capabilities, Feed, Feeds, HostFetches } from './contract.js'
import { isHostTensor } from './host-tensor.js'

const bad = (message: string) => new FepError('FEP_BAD_FEED', message)

/** True where an array can hold a dtype. */
export function fits(
  data: Tensor['data'],
  dtype: ValueInfo['dtype'],
  precision: Capabilities['precision'],
): boolean {
  if (dtype === 'float32')
    return data instanceof Float32Array || (precision === 'float64' && data instanceof Float64Array)
  return dtype === 'int32' ? data instanceof Int32Array : data instanceof Uint8Array
}

/** The batch size that a shape implies; undefined where nothing is symbolic. @throws FEP_BAD_FEED */
function matchShape(name: string, feed: Feed, info: ValueInfo): number | undefined {
  const refuse = () =>
    bad(`feed '${name}' has shape ${formatShape(feed.shape)}; expected ${formatShape(info.shape)}`)
  if (feed.shape.length !== info.shape.length) throw refuse()
  let batch: number | undefined
  info.shape.forEach((dim, i) => {
    const size = feed.shape[i] as number
    if (typeof dim === 'number') {
      if (size !== dim) throw refuse()
      return
    }
    const { factor } = extent(dim)
    if (size % factor !== 0 || (batch !== undefined && batch !== size / factor)) throw refuse()
    batch = size / factor
  })
  return batch
}

/**
 * Checks names, dtypes, shapes and lengths.
 * @returns the batch size (1 where the graph has none)
 * @throws FEP_BAD_FEED
 */
export function checkFeeds(
  graph: Graph,
  feeds: Feeds,
  { precision }: Pick<Capabilities, 'precision'>,
): number {
  let batch: number | undefined
  let from = ''
  for (const name of graph.inputs) {
    const info = graph.values[name] as ValueInfo
    const feed = feeds[name]
    if (!feed || typeof feed !== 'object' || !Array.isArray(feed.shape)) {
      throw bad(
        `feed '${name}' is ${feed === undefined ? 'missing' : show(feed)}; expected ${info.dtype}${formatShape(info.shape)}`,
      )
    }
    if (feed.dtype !== info.dtype) throw bad(`feed '${name}' is ${show(feed.dtype)}; expected ${info.dtype}`)
    const implied = matchShape(name, feed, info)
    if (implied !== undefined && batch !== undefined && implied !== batch)
      throw bad(`feed '${name}' has batch ${implied}, feed '${from}' has batch ${batch}`)
    if (implied !== undefined && batch === undefined) [batch, from] = [implied, name]
    if (isHostTensor(feed)) {
      if (!fits(feed.data, info.dtype, precision))
        throw bad(
          `feed '${name}' holds a ${feed.data.constructor.name}; ${info.dtype} needs ${info.dtype === 'float32' ? 'a Float32Array' : info.dtype === 'int32' ? 'an Int32Array' : 'a Uint8Array'}`,
        )
      if (feed.data.length !== countOf(feed.shape))
        throw bad(
          `feed '${name}' holds ${feed.data.length} elements; shape ${formatShape(feed.shape)} needs ${countOf(feed.shape)}`,
        )
    } else if (typeof feed.read !== 'function')
      throw bad(`feed '${name}' has neither data nor a device tensor's read()`)
  }
  if (Object.keys(feeds).length !== graph.inputs.length) {
    for (const name of Object.keys(feeds))
      if (!graph.inputs.includes(name))
        throw bad(`feed '${name}' is unknown; the graph takes ${graph.inputs.join(', ')}`)
  }
  return batch ?? 1
}

/** Checks preallocated results. @throws FEP_BAD_FEED */
export function checkOut(
  graph: Graph,
  out: HostFetches,
  batch: number,
  { precision }: Pick<Capabilities, 'precision'>,
): void {
  for (const [name, t] of Object.entries(out)) {
    const result = graph.outputs.find((o) => o.name === name)
    if (!result)
      throw bad(
        `output '${name}' is unknown; the graph returns ${graph.outputs.map((o) => o.name).join(', ')}`,
      )
    if (!Array.isArray(t?.shape) || !ArrayBuffer.isView(t.data))
      throw bad(`output '${name}' is ${show(t)}; expected a host tensor`)
    const info = graph.values[result.value] as ValueInfo
    const shape = bindShape(info.shape, batch)
    if (t.dtype !== info.dtype || t.shape.join() !== shape.join() || t.data.length !== countOf(shape)) {
      throw bad(
        `output '${name}' is ${t.dtype}${formatShape(t.shape)} with ${t.data.length} elements; expected ${info.dtype}${formatShape(shape)}`,
      )
    }
    if (!fits(t.data, t.dtype, precision))
      throw bad(`output '${name}' holds a ${t.data.constructor.name}, which is no array for ${t.dtype}`)
  }
}

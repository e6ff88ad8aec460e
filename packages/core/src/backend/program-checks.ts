/**
 * Feed checks of one program, prepared: what runs before every step of a small gate must take nanoseconds. So there is no
 * destructuring and no iterator here: until an engine has optimized them, after thousands of steps, they cost more than the
 * checks.
 */
import { extent } from '../graph/shape.js'
import type { Graph, ValueInfo } from '../graph/types.js'
import type { Tensor } from '../tensor.js'
import type { Capabilities, Feed, Feeds, HostFetches } from './contract.js'
import { checkFeeds, checkOut, fits } from './feeds.js'
import { isHostTensor } from './host-tensor.js'

/** A value's type, prepared for comparing without allocating: symbolic dimensions are negative factors. */
interface Prepared {
  readonly name: string
  readonly dtype: ValueInfo['dtype']
  readonly dims: readonly number[]
  /** Elements; negative where a dimension is symbolic. */
  readonly count: number
}

const prepare = (name: string, { dtype, shape }: ValueInfo): Prepared => {
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : -extent(dim).factor))
  const symbolic = dims.some((dim) => dim < 0)
  return { name, dtype, dims, count: symbolic ? -1 : dims.reduce((n, dim) => n * dim, 1) }
}

/** The batch size after a tensor whose batch so far is `batch` (0: none yet); -1 where its type does not fit. */
function quickMatch({ dtype, dims }: Prepared, t: Feed, batch: number): number {
  if (t.dtype !== dtype || t.shape.length !== dims.length) return -1
  let found = batch
  for (let i = 0; i < dims.length; i++) {
    const dim = dims[i] as number
    const size = t.shape[i] as number
    if (dim >= 0) {
      if (size !== dim) return -1
      continue
    }
    const implied = size / -dim
    if (implied === 0 || implied % 1 !== 0 || (found !== 0 && found !== implied)) return -1
    found = implied
  }
  return found
}

/** True where there are as many elements as the shape, which fits already, says. */
const quickLength = (prepared: Prepared, { shape, data }: Tensor): boolean => {
  if (prepared.count >= 0) return data.length === prepared.count
  let count = 1
  for (let i = 0; i < shape.length; i++) count *= shape[i] as number
  return data.length === count
}

/** Checks of one program's feeds and results; see {@link programChecks}. */
export interface ProgramChecks {
  /** @returns the batch size (1 where the graph has none) @throws FEP_BAD_FEED */
  feeds(feeds: Feeds): number
  /** @throws FEP_BAD_FEED */
  out(out: HostFetches, batch: number): void
}

/**
 * Prepares a program's checks. What is right is recognized without allocating; anything else goes to the plain checks,
 * which find the words for what is wrong.
 */
export function programChecks(graph: Graph, { precision }: Pick<Capabilities, 'precision'>): ProgramChecks {
  const inputs = graph.inputs.map((name) => prepare(name, graph.values[name] as ValueInfo))
  const outputs = new Map(
    graph.outputs.map(({ name, value }) => [name, prepare(name, graph.values[value] as ValueInfo)]),
  )
  const quickFeeds = (feeds: Feeds): number => {
    let batch = 0
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i] as Prepared
      const feed = feeds[input.name] as Feed | undefined
      if (!feed || !Array.isArray(feed.shape)) return -1
      batch = quickMatch(input, feed, batch)
      if (batch < 0) return -1
      if (isHostTensor(feed)) {
        if (!fits(feed.data, input.dtype, precision) || !quickLength(input, feed)) return -1
      } else if (typeof feed.read !== 'function') return -1
    }
    let count = 0
    for (const _name in feeds) count++
    return count === inputs.length ? batch || 1 : -1
  }
  const quickOut = (out: HostFetches, batch: number): boolean => {
    for (const name in out) {
      const t = out[name]
      const prepared = outputs.get(name)
      if (!prepared || !Array.isArray(t?.shape) || quickMatch(prepared, t, batch) < 0) return false
      if (!fits(t.data, prepared.dtype, precision) || !quickLength(prepared, t)) return false
    }
    return true
  }
  return {
    feeds: (feeds) => {
      const batch = quickFeeds(feeds)
      return batch < 0 ? checkFeeds(graph, feeds, { precision }) : batch
    },
    out: (out, batch) => {
      if (!quickOut(out, batch)) checkOut(graph, out, batch, { precision })
    },
  }
}

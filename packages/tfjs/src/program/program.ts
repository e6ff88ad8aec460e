/** A program on a tfjs backend: feeds to the device, steps, results as tensors. */
import {
  type Feed,
  type Feeds,
  type Fetches,
  foldConstants,
  type Graph,
  type HostFetches,
  isHostTensor,
  type Node,
  type ProgramImplementation,
  type Tensor,
  toHost,
} from '@fep-moe/core'
import type { Device, Handle, Layout } from '../device/device.js'
import { TfjsTensor } from '../tensor.js'
import { Constants } from './constants.js'
import { lowerGraph } from './lower.js'

/** Lowers a graph and keeps its literals on the device. @throws FEP_UNSUPPORTED_OP */
export function createProgram(graph: Graph, device: Device): ProgramImplementation {
  const constants = new Constants(device)
  const { inputs } = graph
  const outputs = graph.outputs.map(({ name, value }) => ({ name, ...(graph.values[value] as Layout) }))
  let body: ReturnType<typeof lowerGraph>
  try {
    body = device.section(() => lowerGraph(withoutSizes(graph), device, constants))
  } catch (error) {
    constants.dispose()
    throw error
  }

  /** Runs the steps; results belong to `use`. */
  const execute = <R>(feeds: Feeds, use: (results: readonly Handle[]) => R): R =>
    device.section(() => {
      const mark = device.mark()
      try {
        const operands = inputs.map((name) => toDevice(device, feeds[name] as Feed))
        const results = body(operands)
        // An array that a caller may write to must not be the array of a result.
        const shared = device.sharesArrays ? new Set(operands.map((x) => x.dataId)) : undefined
        const own = results.map((x) =>
          shared && (shared.has(x.dataId) || constants.holds(x.dataId)) ? copied(device, x) : x,
        )
        return use(own)
      } finally {
        device.sweep(mark, [])
      }
    })

  const run = (feeds: Feeds): Fetches =>
    execute(feeds, (results) =>
      Object.fromEntries(
        outputs.map(({ name, dtype }, i) => [
          name,
          new TfjsTensor(device.adopt(results[i] as Handle), dtype, device),
        ]),
      ),
    )

  const runInto = (feeds: Feeds, out: HostFetches): void =>
    execute(feeds, (results) => {
      outputs.forEach(({ name }, i) => {
        const x = results[i] as Handle
        out[name]?.data.set(device.read(x) as Float32Array)
      })
      for (const x of results) device.release(x)
    })

  return {
    run: (feeds) => {
      const elsewhere = foreign(feeds, device)
      return elsewhere ? elsewhere.then(run) : run(feeds)
    },
    ...(device.host
      ? {
          runInto: (feeds: Feeds, out: HostFetches) => {
            const elsewhere = foreign(feeds, device)
            return elsewhere ? elsewhere.then((given) => runInto(given, out)) : runInto(feeds, out)
          },
        }
      : {}),
    dispose: () => constants.dispose(),
  }
}

/** Numbers that depend on the batch alone are literals now that it is bound. */
function withoutSizes(graph: Graph): Graph {
  const sizes = graph.nodes.some((node) => node.op === 'Size')
  if (!sizes) return graph
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== 'Size') return node
    const { shape } = graph.values[node.inputs[0] as string] as Layout
    const total = shape.reduce((n, d) => n * d, 1)
    return {
      op: 'Constant',
      inputs: [],
      outputs: node.outputs,
      attrs: { dtype: 'int32', shape: [], data: [total] },
    }
  })
  return foldConstants({ ...graph, nodes })
}

/** A tensor of this device as it is, anything else uploaded. */
function toDevice(device: Device, feed: Feed): Handle {
  if (feed instanceof TfjsTensor && feed.device === device) return feed.alive()
  const data = isHostTensor(feed) ? feed.data : (feed.readSync as () => Tensor['data'])()
  return device.upload({ dtype: feed.dtype, shape: feed.shape as number[] }, data)
}

/** Feeds with those of other executors read; undefined where nothing has to be waited for. */
function foreign(feeds: Feeds, device: Device): Promise<Feeds> | undefined {
  const there = (feed: Feed) =>
    isHostTensor(feed) || 'readSync' in feed || (feed instanceof TfjsTensor && feed.device === device)
  if (Object.values(feeds).every(there)) return undefined
  const entries = Object.entries(feeds).map(
    async ([name, feed]) => [name, there(feed) ? feed : await toHost(feed)] as const,
  )
  return Promise.all(entries).then(Object.fromEntries)
}

function copied(device: Device, x: Handle): Handle {
  const layout: Layout = { dtype: x.dtype as Layout['dtype'], shape: x.shape }
  const mark = device.mark()
  const [copy] = device.loop([x], [layout], ([from], [to]) => to!.set(from as Float32Array))
  device.sweep(mark, [copy as Handle])
  device.release(x)
  return copy as Handle
}

/** An executor whose results live elsewhere: a counted table of arrays that only `read` can reach. */
import {
  allocate,
  type Backend,
  type DeviceTensor,
  defineBackend,
  type Feed,
  type Graph,
  interpret,
  isHostTensor,
  type Tensor,
} from '../src/index.js'

/** The backend, the number of tensors alive on its device, and the graphs it compiled. */
export function deviceBackend(name = 'device'): {
  backend: Backend
  alive: () => number
  compiled: Graph[]
} {
  const memory = new Map<DeviceTensor, Tensor>()
  const compiled: Graph[] = []
  const upload = (t: Tensor): DeviceTensor => {
    const handle: DeviceTensor = {
      dtype: t.dtype,
      shape: t.shape,
      read: async () => {
        const found = memory.get(handle)
        if (!found) throw new Error('read after dispose')
        await Promise.resolve()
        return found.data
      },
      dispose: () => {
        memory.delete(handle)
      },
    }
    memory.set(handle, t)
    return handle
  }
  const local = (feed: Feed): Tensor => {
    const found = isHostTensor(feed) ? feed : memory.get(feed)
    if (!found) throw new Error('a feed from another device')
    return found
  }
  const backend = defineBackend({
    name,
    capabilities: {
      dtypes: ['float32', 'int32', 'bool'],
      composites: [],
      unsupported: [],
      sync: false,
      hostTensors: false,
      symbolicBatch: false,
      device: 'gpu',
      precision: 'float32',
      accuracy: {},
      nonFinite: { policy: 'ieee', except: {} },
    },
    compile: (graph) => {
      compiled.push(graph)
      return {
        run: (feeds) => {
          const arrays = Object.fromEntries(Object.entries(feeds).map(([key, feed]) => [key, local(feed)]))
          const results = interpret(graph, arrays, { precision: 'float32' })
          return Object.fromEntries(
            Object.entries(results).map(([key, { dtype, shape, data }]) => {
              const copy = allocate(dtype, data.length)
              copy.set(data)
              return [key, upload({ dtype, shape, data: copy })]
            }),
          )
        },
        dispose: () => undefined,
      }
    },
    dispose: () => undefined,
  })
  return { backend, alive: () => memory.size, compiled }
}

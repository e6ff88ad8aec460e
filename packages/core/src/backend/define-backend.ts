/** Turns an implementation into a backend: verification, composites, feed checks, one run at a time, disposal. */
import { FepError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { verifyGraph } from '../graph/verify.js'
import type { CompositeName } from '../ops/attrs.js'
import { isComposite } from '../ops/table.js'
import { bindBatch } from '../passes/bind-batch.js'
import { expandComposites } from '../passes/expand-composites.js'
import type {
  Backend,
  BackendImplementation,
  Capabilities,
  Feeds,
  Fetches,
  HostFetches,
  Program,
  ProgramImplementation,
} from './contract.js'
import { checkFeeds, checkOut } from './feeds.js'
import { hostTensor, toHost } from './host-tensor.js'

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}

/** Wraps a {@link BackendImplementation}. The one way to make a {@link Backend}. */
export function defineBackend(implementation: BackendImplementation): Backend {
  const capabilities = deepFreeze(JSON.parse(JSON.stringify(implementation.capabilities)) as Capabilities)
  const programs = new Set<Program>()
  let disposed = false
  const dispose = async () => {
    if (disposed) return
    disposed = true
    for (const program of programs) program.dispose()
    await implementation.dispose()
  }
  return {
    name: implementation.name,
    specVersion: 1,
    capabilities,
    compile: async (graph) => {
      if (disposed)
        throw new FepError('FEP_DISPOSED', `backend '${implementation.name}' was disposed; create a new one`)
      verifyGraph(graph)
      const lowered = expandComposites(graph, (op) => capabilities.composites.includes(op))
      refuseUnsupported(lowered, implementation.name, capabilities)
      const program = guardProgram(implementation, graph, lowered, await open(implementation, lowered), () =>
        programs.delete(program),
      )
      programs.add(program)
      return program
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

function refuseUnsupported(graph: Graph, name: string, capabilities: Capabilities): void {
  for (const node of graph.nodes) {
    if (capabilities.unsupported.includes(node.op))
      throw new FepError(
        'FEP_UNSUPPORTED_OP',
        `backend '${name}' cannot run ${node.op} (graph '${graph.name}')`,
      )
    for (const output of node.outputs) {
      const dtype = graph.values[output]?.dtype
      if (dtype && !capabilities.dtypes.includes(dtype))
        throw new FepError(
          'FEP_UNSUPPORTED_OP',
          `backend '${name}' cannot run ${node.op} on ${dtype}; it has ${capabilities.dtypes.join(', ')}`,
        )
    }
    if (isComposite(node.op) && !capabilities.composites.includes(node.op as CompositeName))
      throw new FepError('FEP_UNSUPPORTED_OP', `backend '${name}' was given the composite ${node.op}`)
    if (node.op === 'Scan') refuseUnsupported(node.attrs.body, name, capabilities)
  }
}

type Opened = ProgramImplementation | ((batch: number) => Promise<ProgramImplementation>)

const isSymbolic = (graph: Graph): boolean =>
  Object.values(graph.values).some((v) => v.shape.some((d) => typeof d === 'string'))

/** A backend without symbolic sizes gets one program per batch size, made on first use; the last few are kept. */
const SIZES_KEPT = 8

async function open(implementation: BackendImplementation, graph: Graph): Promise<Opened> {
  if (implementation.capabilities.symbolicBatch || !isSymbolic(graph)) return implementation.compile(graph)
  // A graph that cannot be lowered must fail now, not at the first run: one size is compiled ahead.
  const sizes = new Map<number, ProgramImplementation>([
    [1, await implementation.compile(bindBatch(graph, 1))],
  ])
  const get = async (batch: number) => {
    const known = sizes.get(batch)
    const program = known ?? (await implementation.compile(bindBatch(graph, batch)))
    sizes.delete(batch)
    sizes.set(batch, program)
    for (const [size, old] of sizes) {
      if (sizes.size <= SIZES_KEPT) break
      sizes.delete(size)
      old.dispose()
    }
    return program
  }
  return Object.assign(get, { dispose: () => sizes.forEach((p) => p.dispose()) })
}

function guardProgram(
  implementation: BackendImplementation,
  graph: Graph,
  lowered: Graph,
  opened: Opened,
  forget: () => void,
): Program {
  const { name, capabilities } = implementation
  let disposed = false
  let running = 0
  let tail: Promise<unknown> = Promise.resolve()
  const direct = typeof opened === 'function' ? undefined : opened
  const use = () => {
    if (disposed)
      throw new FepError(
        'FEP_DISPOSED',
        `program '${graph.name}' on backend '${name}' was disposed; compile it again`,
      )
  }
  const failed = (error: unknown) =>
    error instanceof FepError
      ? error
      : new FepError(
          'FEP_BACKEND_FAILED',
          `backend '${name}' failed to run '${graph.name}': ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        )
  const serialize = <R>(body: () => Promise<R>): Promise<R> => {
    running++
    const result = tail.then(body).catch((error: unknown) => {
      throw failed(error)
    })
    const settled = () => {
      running--
    }
    tail = result.then(settled, settled)
    return result
  }
  const at = (batch: number): ProgramImplementation | Promise<ProgramImplementation> =>
    direct ?? (opened as (batch: number) => Promise<ProgramImplementation>)(batch)
  const dispose = () => {
    if (disposed) return
    disposed = true
    forget()
    const free = () => (opened as { dispose?: () => void }).dispose?.()
    // A run that is under way finishes first.
    if (running === 0) free()
    else void tail.then(free)
  }
  const program: Program = {
    graph,
    ...(direct?.artifact ? { artifact: direct.artifact } : {}),
    run: async (feeds: Feeds): Promise<Fetches> => {
      use()
      const batch = checkFeeds(lowered, feeds, capabilities)
      return serialize(async () => (await at(batch)).run(feeds))
    },
    runInto: (feeds: Feeds, out: HostFetches) => {
      use()
      const batch = checkFeeds(lowered, feeds, capabilities)
      checkOut(lowered, out, batch)
      const sync = direct?.runInto
      if (capabilities.sync && direct && sync) {
        if (running > 0)
          throw new FepError(
            'FEP_BUSY',
            `program '${graph.name}' is already running; await the run before calling runInto`,
          )
        try {
          sync.call(direct, feeds, out)
          return
        } catch (error) {
          throw failed(error)
        }
      }
      return serialize(async () => {
        const target = await at(batch)
        if (target.runInto) return target.runInto(feeds, out)
        const fetched = await target.run(feeds)
        for (const [key, into] of Object.entries(out))
          into.data.set((await toHost(fetched[key] ?? hostTensor(into))).data as Float32Array)
        for (const t of Object.values(fetched)) t.dispose()
      })
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
  return program
}

/** A compiled program as users see it: checked feeds, one run at a time, one implementation per batch size where needed. */
import { FepError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { bindBatch } from '../passes/bind-batch.js'
import type {
  Artifact,
  BackendImplementation,
  Feeds,
  Fetches,
  HostFetches,
  Program,
  ProgramImplementation,
} from './contract.js'
import { hostTensor, toHost } from './host-tensor.js'
import { programChecks } from './program-checks.js'
import { serialQueue } from './queue.js'

/** Gives the implementation for a batch size; at once where it is there already or is made synchronously. */
export interface Opened {
  at(batch: number): ProgramImplementation | Promise<ProgramImplementation>
  /** What was compiled, where one program serves every size. */
  readonly artifact: Artifact | undefined
  dispose(): void
}

const isSymbolic = (graph: Graph): boolean =>
  Object.values(graph.values).some((v) => v.shape.some((d) => typeof d === 'string')) ||
  graph.nodes.some((node) => node.op === 'Scan' && isSymbolic(node.attrs.body))

/** A backend without symbolic sizes gets one program per batch size, made on first use; the last few are kept. */
const SIZES_KEPT = 8

/** @internal */
export async function open(implementation: BackendImplementation, graph: Graph): Promise<Opened> {
  if (implementation.capabilities.symbolicBatch || !isSymbolic(graph)) {
    const program = await implementation.compile(graph)
    return { at: () => program, artifact: program.artifact, dispose: () => program.dispose() }
  }
  const sizes = new Map<number, ProgramImplementation>()
  const keep = (batch: number, program: ProgramImplementation): ProgramImplementation => {
    sizes.delete(batch)
    sizes.set(batch, program)
    for (const [size, old] of sizes) {
      if (sizes.size <= SIZES_KEPT) break
      sizes.delete(size)
      old.dispose()
    }
    return program
  }
  const at = (batch: number) => {
    const program = sizes.get(batch) ?? implementation.compile(bindBatch(graph, batch))
    return program instanceof Promise ? program.then((made) => keep(batch, made)) : keep(batch, program)
  }
  // A graph that cannot be lowered must fail now, not at the first run: one size is compiled ahead.
  await at(1)
  return { at, artifact: undefined, dispose: () => sizes.forEach((p) => p.dispose()) }
}

/** @internal */
export function guardProgram(
  implementation: BackendImplementation,
  graph: Graph,
  lowered: Graph,
  opened: Opened,
  forget: () => void,
): Program {
  const { name, capabilities } = implementation
  const checks = programChecks(lowered, capabilities)
  let disposed = false
  let running = 0
  const queue = serialQueue()
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
    return queue(body)
      .catch((error: unknown) => {
        throw failed(error)
      })
      .finally(() => {
        running--
      })
  }
  const dispose = () => {
    if (disposed) return
    disposed = true
    forget()
    // A run that is under way finishes first.
    if (running === 0) opened.dispose()
    else void queue.idle().then(() => opened.dispose())
  }
  const program: Program = {
    graph,
    sync: capabilities.sync,
    ...(opened.artifact ? { artifact: opened.artifact } : {}),
    run: async (feeds: Feeds): Promise<Fetches> => {
      use()
      const batch = checks.feeds(feeds)
      return serialize(async () => (await opened.at(batch)).run(feeds))
    },
    runInto: (feeds: Feeds, out: HostFetches) => {
      use()
      const batch = checks.feeds(feeds)
      checks.out(out, batch)
      if (capabilities.sync) {
        if (running > 0) {
          throw new FepError(
            'FEP_BUSY',
            `program '${graph.name}' is already running; await the run before calling runInto`,
          )
        }
        const target = opened.at(batch)
        if (!(target instanceof Promise) && target.runInto) {
          try {
            target.runInto(feeds, out)
            return
          } catch (error) {
            throw failed(error)
          }
        }
      }
      return serialize(async () => {
        const target = await opened.at(batch)
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

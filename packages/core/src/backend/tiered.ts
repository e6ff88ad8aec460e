/**
 * Two backends as one: small programs on an executor that starts at once, the rest on one that is fast once it runs.
 * Handing a call to a native runtime costs tens of microseconds, more than all arithmetic of a small gate's step.
 */
import { FepError, show } from '../errors.js'
import { graphCost } from '../graph/cost.js'
import { extent } from '../graph/shape.js'
import type { Dim, Graph } from '../graph/types.js'
import { verifyGraph } from '../graph/verify.js'
import type { Backend, Feed, Feeds, Program } from './contract.js'
import { isHostTensor, toHost } from './host-tensor.js'
import { serialQueue } from './queue.js'

/** Options of {@link tieredBackend}. */
export interface TieredOptions {
  /** Runs programs that cost less than `below`. */
  readonly small: Backend
  /** Runs everything else, gives the result its name and capabilities. */
  readonly large: Backend
  /** Floating-point operations of one run (a multiply-add is two); >= 0. */
  readonly below: number
}

/**
 * Combines two backends. A program of a fixed size goes to one of them when it is compiled; where the batch is symbolic,
 * each run goes by its batch size. Results of either feed the other (a tensor on a device is read first, so then `runInto`
 * returns a promise). Disposing it disposes both.
 * @throws FEP_BAD_ARGUMENT
 */
export function tieredBackend({ small, large, below }: TieredOptions): Backend {
  if (typeof below !== 'number' || !(below >= 0))
    throw new FepError('FEP_BAD_ARGUMENT', `tieredBackend: below is ${show(below)}; accepted: a number >= 0`)
  const dispose = async () => {
    await small.dispose()
    await large.dispose()
  }
  return {
    name: large.name,
    specVersion: 1,
    capabilities: Object.freeze({
      ...large.capabilities,
      sync: small.capabilities.sync && large.capabilities.sync,
    }),
    compile: async (graph) => {
      verifyGraph(graph)
      const most = largestSmallBatch(graph, below)
      // What the small executor cannot take (a page may forbid generated code) the large one gets.
      const first = most < 1 ? undefined : await small.compile(graph).catch(() => undefined)
      if (!first) return large.compile(graph)
      const fixed = most === Number.POSITIVE_INFINITY
      return joined(first, fixed ? first : await large.compile(graph), most)
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** The largest batch whose run costs less than `below`; infinity where that does not depend on the batch. */
function largestSmallBatch(graph: Graph, below: number): number {
  const at = (batch: number) => graphCost(graph, batch).total.flops
  const one = at(1)
  if (one >= below) return 0
  const slope = at(2) - one
  return slope > 0 ? Math.ceil((below - one) / slope) : Number.POSITIVE_INFINITY
}

/** Programs of one graph on both executors; `large` may be `small` itself. */
function joined(small: Program, large: Program, most: number): Program {
  const { graph, artifact } = large
  const dispose = () => {
    small.dispose()
    large.dispose()
  }
  const fixed = large === small
  const pick = (feeds: Feeds): Program => (fixed || batchOf(graph, feeds) <= most ? small : large)
  // A program that is not synchronous waits for a run that is under way; the small one alone would refuse.
  const queue = serialQueue()
  const inTurn = <T>(program: Program, work: () => Promise<T>): Promise<T> =>
    program === small && !fixed ? queue(work) : work()
  return {
    graph,
    ...(artifact ? { artifact } : {}),
    sync: small.sync && large.sync,
    run: async (feeds) => {
      const program = pick(feeds)
      // Nothing is awaited ahead of an ordinary run: disposing the program right after the call must not overtake it.
      const near = program === small && isAnyAway(feeds) ? await onHost(feeds) : feeds
      return inTurn(program, () => program.run(near))
    },
    runInto: (feeds, out) => {
      const program = pick(feeds)
      const away = program === small && isAnyAway(feeds)
      if (!away && (program === large || queue.isIdle)) return program.runInto(feeds, out)
      return inTurn(program, async () => program.runInto(away ? await onHost(feeds) : feeds, out))
    },
    dispose,
    [Symbol.dispose]: dispose,
  }
}

/** True for a tensor on a device, which may be the other executor's. */
const isAway = (feed: Feed | undefined): boolean =>
  typeof feed === 'object' && feed !== null && 'read' in feed && !isHostTensor(feed)

const isAnyAway = (feeds: Feeds): boolean => Object.values(feeds).some(isAway)

async function onHost(feeds: Feeds): Promise<Feeds> {
  const near = Object.entries(feeds).map(
    async ([name, feed]) => [name, isAway(feed) ? await toHost(feed) : feed] as const,
  )
  return Object.fromEntries(await Promise.all(near))
}

/** The batch size of a run, from the first feed that has one; what does not fit is for the program to refuse. */
function batchOf(graph: Graph, feeds: Feeds): number {
  for (const name of graph.inputs) {
    const shape = graph.values[name]?.shape ?? []
    const axis = shape.findIndex((dim) => typeof dim === 'string')
    const size = axis < 0 ? undefined : (feeds[name] as Feed | undefined)?.shape?.[axis]
    if (size !== undefined) return size / extent(shape[axis] as Dim).factor
  }
  return 1
}

/** Time per node, from ONNX Runtime's own profiler. Node only: the profiler writes a file. */
import type { Feeds, Graph, Program } from '@fep-moe/core'
import { backendOn } from './backend.js'
import { checkInteger } from './check-integer.js'
import { checkOptions, type OnnxBackendOptions } from './options.js'
import { loadRuntime } from './runtime/load.js'

/** Time of one node of the model that ONNX Runtime made of a graph. */
export interface NodeTime {
  /** The node's name; where the runtime fused nodes, the name that it chose. */
  readonly name: string
  /** The ONNX operator, or the runtime's fused one. */
  readonly op: string
  /** Mean microseconds per run, all calls in it together. Nodes inside a Scan are counted in the Scan, too. */
  readonly us: number
  /** Calls per run. */
  readonly calls: number
}

/** Options of {@link profile}. */
export interface ProfileOptions extends Pick<OnnxBackendOptions, 'threads' | 'batchHint'> {
  /** Measured runs; an integer >= 1, default 50. As many again, at most 20, warm up. */
  readonly runs?: number
}

/** What {@link profile} measures. */
export interface Profile {
  /** Mean microseconds of one run inside the runtime, profiling included. */
  readonly runUs: number
  /** Slowest first. */
  readonly nodes: readonly NodeTime[]
}

interface TraceEvent {
  readonly cat: string
  readonly name: string
  readonly ts: number
  readonly dur: number
  readonly args?: { readonly op_name?: string }
}

/**
 * Runs a graph, or the graph of a program, with the profiler on.
 * @param feeds the same for every run
 * @throws FEP_BACKEND_MISSING, FEP_BAD_ARGUMENT, and what `compile` and `run` throw
 */
export async function profile(
  target: Graph | Program,
  feeds: Feeds,
  { runs = 50, ...options }: ProfileOptions = {},
): Promise<Profile> {
  checkInteger('profile.runs', runs, Number.MAX_SAFE_INTEGER)
  const checked = checkOptions(options)
  const [{ mkdtemp, readdir, readFile, rm }, { tmpdir }, { join }] = await Promise.all([
    import('node:fs/promises'),
    import('node:os'),
    import('node:path'),
  ])
  const folder = await mkdtemp(join(tmpdir(), 'fep-moe-profile-'))
  try {
    const backend = backendOn(await loadRuntime(), checked, join(folder, 'trace'))
    const program = await backend.compile('nodes' in target ? target : target.graph)
    const warmUp = Math.min(runs, 20)
    for (let i = 0; i < warmUp + runs; i++) await program.run(feeds)
    await backend.dispose()
    const [file] = await readdir(folder)
    return summarize(JSON.parse(await readFile(join(folder, file as string), 'utf8')) as TraceEvent[], runs)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Sums the node events of the last `runs` runs. */
function summarize(events: readonly TraceEvent[], runs: number): Profile {
  const measured = events.filter((e) => e.name === 'model_run').slice(-runs)
  const start = Math.min(...measured.map((e) => e.ts))
  const totals = new Map<string, { name: string; op: string; us: number; calls: number }>()
  for (const { cat, name, ts, dur, args } of events) {
    if (cat !== 'Node' || ts < start || !name.endsWith('_kernel_time')) continue
    const op = args?.op_name ?? '?'
    const node = name.slice(0, -'_kernel_time'.length)
    const entry = totals.get(`${op} ${node}`) ?? { name: node, op, us: 0, calls: 0 }
    entry.us += dur / runs
    entry.calls += 1 / runs
    totals.set(`${op} ${node}`, entry)
  }
  return {
    runUs: measured.reduce((sum, e) => sum + e.dur, 0) / runs,
    nodes: [...totals.values()].sort((a, b) => b.us - a.us),
  }
}

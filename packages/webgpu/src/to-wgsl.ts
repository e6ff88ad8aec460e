/** Graph → WGSL, without a device. */
import { bindBatch, expandComposites, FepError, type Graph, schemas, show, verifyGraph } from '@fep-moe/core'
import type { DispatchProgram } from './ir/dispatch-program.js'
import { dispatchesOf } from './lower/dispatches.js'
import { lowerGraph } from './lower/lower-graph.js'
import { claimedComposites } from './lowerings/table.js'

/** What a device allows, and how much one dispatch may do. */
export interface CompilerLimits {
  /** Workgroups along one dimension; default 65,535, which every device has. */
  readonly maxWorkgroupsPerDimension?: number
  /** Threads of a workgroup, at least 64; default 256, which every device has. */
  readonly maxWorkgroupSize?: number
  /** Scalar operations of one dispatch, as far as work can be split; default 2²⁸. */
  readonly mostCost?: number
}

/** The program of a graph of primitives and claimed composites, whose shapes are numbers. */
export function toDispatches(graph: Graph, limits: CompilerLimits = {}): DispatchProgram {
  const { maxWorkgroupsPerDimension = 65_535, maxWorkgroupSize = 256, mostCost = 2 ** 28 } = limits
  return dispatchesOf(lowerGraph(graph, mostCost), { maxWorkgroupsPerDimension, maxWorkgroupSize, mostCost })
}

/** Options of {@link toWgsl}. */
export interface ToWgslOptions {
  /** Batch size for graphs that have one; an integer >= 0, default 1. Kernels are made for one size. */
  readonly batch?: number
}

/**
 * The kernels that the backend runs for a graph, in order, as one text: each module once, under the labels of the
 * dispatches that use it, with their workgroups and words (places in the arena, and numbers of steps).
 * @throws FEP_BAD_GRAPH, FEP_BAD_ARGUMENT
 */
export function toWgsl(graph: Graph, options: ToWgslOptions = {}): string {
  const batch = checkOptions(options)
  verifyGraph(graph)
  const lowered = expandComposites(graph, (op) => claimedComposites.some((claimed) => claimed === op))
  return programText(toDispatches(bindBatch(lowered, batch)))
}

/** The text of a program, for people and for snapshot tests. */
export function programText({ name, arenaWords, inputs, outputs, dispatches }: DispatchProgram): string {
  const first = new Map<string, number>()
  const ports = (list: DispatchProgram['inputs']) =>
    list.map((p) => `${comment(p.name)}: ${p.dtype}(${p.shape.join(', ')}) at ${p.offset}`).join(', ') ||
    'none'
  const kernels = dispatches.map(({ label, wgsl, workgroups, words }, i) => {
    const same = first.get(wgsl)
    if (same === undefined) first.set(wgsl, i)
    const launch = `// ${i}. ${comment(label)}\n// workgroups (${workgroups.join(', ')}), at ${[...words].join(' ')}`
    return same === undefined ? `${launch}\n${wgsl}` : `${launch}\n// the kernel of ${same}\n`
  })
  return [
    `// ${comment(name)}: ${dispatches.length} dispatches on ${arenaWords} words`,
    `// in: ${ports(inputs)}`,
    `// out: ${ports(outputs)}`,
    '',
    ...kernels,
  ].join('\n')
}

/** Names of graphs and values come from anywhere: a comment must not end before its line does. */
const comment = (text: string): string => text.replace(/[^\w .,:/()+*-]/g, '_')

function checkOptions(options: ToWgslOptions): number {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `toWgsl: options are ${show(options)}; expected an object`)
  const { batch = 1, ...unknown } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw new FepError('FEP_BAD_ARGUMENT', `toWgsl: unknown option ${show(extra)}; accepted: batch`)
  return schemas.parse(schemas.integerFrom(0), batch, 'toWgsl.batch', 'FEP_BAD_ARGUMENT')
}

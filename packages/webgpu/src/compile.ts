/** Graph to a loaded program. */
import type { Graph, ProgramImplementation } from '@fep-moe/core'
import { openProgram } from './program.js'
import type { Lifetime } from './runtime/lifetime.js'
import { budget } from './runtime/submissions.js'
import { programText, toDispatches } from './to-wgsl.js'

/** Compiles a graph of primitives and claimed composites, and loads it. @throws as `openProgram` */
export async function compileProgram(graph: Graph, lifetime: Lifetime): Promise<ProgramImplementation> {
  const source = toDispatches(graph, { mostCost: budget(lifetime.latest.adapter.software) })
  return openProgram(source, () => programText(source), lifetime)
}

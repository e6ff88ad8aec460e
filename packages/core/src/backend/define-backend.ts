/** Turns an implementation into a backend: verification, composites, feed checks, one run at a time, disposal. */
import { FepError } from '../errors.js'
import type { Graph } from '../graph/types.js'
import { verifyGraph } from '../graph/verify.js'
import type { CompositeName } from '../ops/attrs.js'
import { isComposite } from '../ops/table.js'
import { expandComposites } from '../passes/expand-composites.js'
import type { Backend, BackendImplementation, Capabilities, Program } from './contract.js'
import { guardProgram, open } from './guard-program.js'

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

/** Capabilities decide negative cases: what a backend says it cannot run, it must refuse at compile time. */
import {
  type Backend,
  type Capabilities,
  type DType,
  expandComposites,
  type FepError,
  type Graph,
  type ValueInfo,
} from '@fep-moe/core'
import { CaseFailure, DeclaredUnsupported } from './failure.js'

const DTYPES: readonly DType[] = ['float32', 'int32', 'bool']

/** The first operator or dtype of a graph that the backend declares it cannot run. */
export function unsupportedIn(graph: Graph, capabilities: Capabilities): string | undefined {
  // Most backends lack nothing, and then no graph needs to be searched.
  if (capabilities.unsupported.length === 0 && DTYPES.every((dtype) => capabilities.dtypes.includes(dtype)))
    return undefined
  return firstUnsupported(
    expandComposites(graph, (op) => capabilities.composites.includes(op)),
    capabilities,
  )
}

function firstUnsupported(graph: Graph, capabilities: Capabilities): string | undefined {
  for (const node of graph.nodes) {
    if (capabilities.unsupported.includes(node.op)) return node.op
    for (const output of node.outputs) {
      const { dtype } = graph.values[output] as ValueInfo
      if (!capabilities.dtypes.includes(dtype)) return `${node.op} on ${dtype}`
    }
    const inner = node.op === 'Scan' ? firstUnsupported(node.attrs.body, capabilities) : undefined
    if (inner) return inner
  }
  return undefined
}

const codeOf = (error: unknown): unknown => (error as FepError | undefined)?.code

/**
 * The same backend, except that compiling a graph with a declared-unsupported operator ends the case: as it should where
 * the backend rejects with FEP_UNSUPPORTED_OP, as a failure where it does anything else.
 */
export function holdToCapabilities(backend: Backend): Backend {
  const { name, specVersion, capabilities } = backend
  const dispose = () => backend.dispose()
  return {
    name,
    specVersion,
    capabilities,
    dispose,
    [Symbol.asyncDispose]: dispose,
    compile: async (graph) => {
      let missing: string | undefined
      try {
        missing = unsupportedIn(graph, capabilities)
      } catch {
        // An invalid graph is the backend's to refuse.
      }
      if (missing === undefined) return backend.compile(graph)
      try {
        const program = await backend.compile(graph)
        program.dispose()
      } catch (error) {
        // A backend that is held already has said so.
        if (error instanceof DeclaredUnsupported) throw error
        if (codeOf(error) === 'FEP_UNSUPPORTED_OP') throw new DeclaredUnsupported(missing)
        throw new CaseFailure(
          `compile must reject ${missing} with FEP_UNSUPPORTED_OP, not ${codeOf(error) ?? error}`,
        )
      }
      throw new CaseFailure(`compile accepted ${missing}, which the capabilities say is unsupported`)
    },
  }
}

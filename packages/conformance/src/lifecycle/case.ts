/** Lifecycle cases: what a program and a backend promise about time, memory and mistakes. */
import type { Backend, Graph, Program } from '@fep-moe/core'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'

/** Writes a case down. */
export const lifecycleCase = (
  id: string,
  check: (probe: Probe) => Promise<void>,
  note?: string,
): ProcedureCase => ({
  kind: 'procedure',
  id: `lifecycle/${id}`,
  group: 'lifecycle',
  // Sums and products of small integers: nothing rounds.
  tolerance: EXACT,
  ...(note ? { note } : {}),
  check,
})

/** Compiles, uses and disposes a program of the shared backend. */
export async function withProgram(
  probe: Probe,
  graph: Graph,
  body: (program: Program) => Promise<void>,
): Promise<void> {
  const program = await probe.backend.compile(graph)
  try {
    await body(program)
  } finally {
    program.dispose()
  }
}

/** Makes, uses and disposes a backend of the case's own. */
export async function withBackend(probe: Probe, body: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await probe.create()
  try {
    await body(backend)
  } finally {
    await backend.dispose()
  }
}

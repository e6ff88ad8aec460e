/** Operators on the vectors of ONNX's own node tests, written in our operators. */
import type { GraphCase, ProcedureCase } from '../frame/case.js'
import { execute } from '../frame/execute.js'
import { toleranceOf } from './tolerance.js'
import { translateVector } from './translate.js'
import { type OfficialVector, type OpenTensor, tensorsOf } from './vector.js'
import { vectors } from './vectors/cases.js'

declare function atob(base64: string): string

let opened: Promise<OpenTensor> | undefined

/** The pool is loaded on demand: a browser that runs other groups never fetches it. */
function openPool(): Promise<OpenTensor> {
  opened ??= import('./vectors/pool.js').then(({ pool }) =>
    tensorsOf(Uint8Array.from(atob(pool), (c) => c.charCodeAt(0))),
  )
  return opened
}

function officialCase(vector: OfficialVector): ProcedureCase {
  const id = `official/${vector.node.op}/${vector.name}`
  const base = { id, group: 'official', tolerance: toleranceOf(vector.node.op) } as const
  return {
    ...base,
    kind: 'procedure',
    check: async (probe) => {
      const { graph, feeds, expected } = translateVector(vector, await openPool())
      const whole: GraphCase = {
        ...base,
        kind: 'graph',
        graph: () => graph,
        runs: () => [{ feeds, expected }],
      }
      await execute(whole, probe)
    },
  }
}

/** Every case of the group `official`. */
export const official = (): ProcedureCase[] => vectors.map(officialCase)

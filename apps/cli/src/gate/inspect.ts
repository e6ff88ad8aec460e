/** What a gate costs, computed from its graph: nothing is run. */
import { type Gate, type Graph, gateStates, graphCost } from '@fep-moe/core'

/** Figures of a gate in a model. */
export interface Inspection {
  readonly config: Gate['config']
  readonly horizon: 0 | 1
  readonly causal: boolean
  readonly parameters: {
    readonly total: number
    readonly bytes: number
    readonly list: readonly {
      readonly name: string
      readonly shape: readonly number[]
      readonly count: number
    }[]
  }
  /** Floating-point operations of one token through one gate, its selection and `next` included. */
  readonly flopsPerToken: number
  readonly state: {
    readonly list: readonly { readonly name: string; readonly width: number }[]
    /** Of one sequence in one gate, float32. */
    readonly bytesPerSequence: number
  }
  /** A gate in each of `layers` layers, for `sequences` sequences at a time. */
  readonly model: {
    readonly layers: number
    readonly sequences: number
    readonly parameterBytes: number
    readonly stateBytes: number
    readonly flopsPerStep: number
  }
}

const FLOAT32 = 4

/** One step as a graph: with state where the gate streams. */
export const stepGraph = (gate: Gate): Graph =>
  gate.graph(gate.causal ? { steps: 1, state: true } : { steps: 1 })

/** Inspects a gate. */
export function inspectGate(gate: Gate, layers: number, sequences: number): Inspection {
  const list = gate.params.map(({ name, shape }) => ({
    name,
    shape,
    count: shape.reduce((n, d) => n * d, 1),
  }))
  const total = list.reduce((n, { count }) => n + count, 0)
  const states = gateStates(gate.config)
  const bytesPerSequence = FLOAT32 * states.reduce((n, { width }) => n + width, 0)
  const graph = stepGraph(gate)
  const flopsPerToken = graphCost(graph, 1).total.flops
  return {
    config: gate.config,
    horizon: gate.horizon,
    causal: gate.causal,
    parameters: { total, bytes: FLOAT32 * total, list },
    flopsPerToken,
    state: { list: states, bytesPerSequence },
    model: {
      layers,
      sequences,
      parameterBytes: layers * FLOAT32 * total,
      stateBytes: layers * sequences * bytesPerSequence,
      flopsPerStep: layers * graphCost(graph, sequences).total.flops,
    },
  }
}

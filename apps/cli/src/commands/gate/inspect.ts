/** `fep-moe gate inspect` */
import { textTable } from '@fep-moe/experiments'
import { openOutputFile, readGate } from '../../gate/files.js'
import { type Inspection, inspectGate, stepGraph } from '../../gate/inspect.js'
import { drawGraph } from '../../gate/picture.js'

/** What the command line gives. */
export interface InspectFlags {
  readonly config: string
  readonly layers: number
  readonly sequences: number
  readonly svg?: string
  readonly json?: boolean
}

/** Prints what a gate has and costs, and draws it. */
export async function inspectGateFile({ config, layers, sequences, svg, json }: InspectFlags): Promise<void> {
  const gate = await readGate(config)
  const inspection = inspectGate(gate, layers, sequences)
  let picture: string | undefined
  if (svg !== undefined) {
    const file = openOutputFile(svg, '--svg', { '--config': config })
    const isParameter = (name: string) => gate.params.some((spec) => spec.name === name)
    const { dim, experts } = gate.config
    const title = `one step of a gate: ${dim} features, ${experts} experts`
    picture = await file.write(await drawGraph(stepGraph(gate), title, isParameter))
  }
  const text = json
    ? JSON.stringify({ ...inspection, ...(picture ? { svg: picture } : {}) }, null, 2)
    : describe(inspection)
  process.stdout.write(`${text}\n${picture && !json ? `graph of a step: ${picture}\n` : ''}`)
}

function describe({ parameters, flopsPerToken, state, model, horizon, causal }: Inspection): string {
  const table = textTable({
    title: 'Parameters',
    columns: ['name', 'shape', 'count'],
    rows: parameters.list.map(({ name, shape, count }) => [name, `(${shape.join(', ')})`, `${count}`]),
    notes: [],
  })
  const states = state.list.map(({ name, width }) => `${name} (${width})`).join(', ') || 'none'
  const { layers, sequences } = model
  return [
    table,
    '',
    `parameters          ${parameters.total} (${parameters.bytes} bytes)`,
    `FLOPs per token     ${flopsPerToken}`,
    `state per sequence  ${state.bytesPerSequence} bytes: ${states}`,
    `horizon             ${horizon}: experts for ${horizon === 0 ? 'the token just given' : 'the token after it'}`,
    ...(causal ? [] : ['streaming           no: it reads the next token']),
    `${layers} layers × ${sequences} sequences: ${model.parameterBytes} bytes of parameters, ${model.stateBytes} bytes of state, ${model.flopsPerStep} FLOPs per step`,
  ].join('\n')
}

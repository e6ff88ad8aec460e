/** `fep-moe gate init` */
import {
  createGate,
  FepError,
  type Gate,
  type GateConfig,
  type InitScheme,
  type PresetName,
  preset,
} from '@fep-moe/core'
import { openOutputFile, readGate } from '../../gate/files.js'
import { inspectGate } from '../../gate/inspect.js'

/** What the command line gives. */
export interface InitFlags {
  readonly config?: string
  readonly preset?: PresetName
  readonly dim?: number
  readonly experts?: number
  readonly seed: number
  readonly scheme: InitScheme
  readonly output: string
  readonly json?: boolean
}

/** Four gigabytes: what one typed array and one file can be counted on to hold. */
const MOST_PARAMETERS = 2 ** 30

/** Draws parameters and writes them. */
export async function initGate(flags: InitFlags): Promise<void> {
  const { config, seed, scheme, output, json } = flags
  const gate = await chosenGate(flags)
  const { total, bytes } = inspectGate(gate, 1, 1).parameters
  if (total > MOST_PARAMETERS)
    throw new FepError(
      'FEP_BAD_CONFIG',
      `the gate has ${total} parameters; accepted here: up to ${MOST_PARAMETERS}`,
    )
  const file = openOutputFile(output, '--output', config ? { '--config': config } : {})
  const path = await file.write(gate.init({ seed, scheme }))
  const names = gate.params.map(({ name }) => name)
  process.stdout.write(
    json
      ? `${JSON.stringify({ output: path, parameters: total, bytes, seed, scheme, names })}\n`
      : `${path}: ${total} parameters (${names.join(', ')})\n`,
  )
}

async function chosenGate({ config, preset: name, dim, experts }: InitFlags): Promise<Gate> {
  if ((config === undefined) === (name === undefined))
    throw new FepError('FEP_USAGE', 'name the gate: either --config, or --preset with --dim and --experts')
  if (config !== undefined) {
    if (dim !== undefined || experts !== undefined)
      throw new FepError('FEP_USAGE', '--dim and --experts belong to --preset; --config has its own')
    return readGate(config)
  }
  if (dim === undefined || experts === undefined)
    throw new FepError('FEP_USAGE', '--preset needs --dim and --experts')
  return createGate(preset(name as PresetName, { dim, experts }) as GateConfig)
}

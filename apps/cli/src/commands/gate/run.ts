/** `fep-moe gate run` */
import { readParams } from '@fep-moe/core/safetensors'
import { type BackendName, openBackend } from '../../backends.js'
import { openOutputFile, readRouter, withSafetensors } from '../../gate/files.js'
import { readTokens, routeFile } from '../../gate/route-file.js'

/** What the command line gives. */
export interface RunFlags {
  readonly config: string
  readonly weights: string
  readonly input: string
  readonly output: string
  readonly map?: Readonly<Record<string, string>>
  readonly backend: BackendName
  readonly threads: number
  readonly stream?: boolean
  readonly json?: boolean
}

/** Routes the tokens of a file into a file. */
export async function runGate(flags: RunFlags): Promise<void> {
  const { config, weights, input, output, map, backend: name, threads, stream = false, json } = flags
  const gate = await readRouter(config)
  const params = await withSafetensors(weights, (file) => readParams(gate.params, file, map ? { map } : {}))
  const tokens = await withSafetensors(input, readTokens)
  const file = openOutputFile(output, '--output', {
    '--config': config,
    '--weights': weights,
    '--input': input,
  })
  try {
    const backend = await openBackend(name, { threads })
    try {
      const results = await routeFile({ gate, backend, params }, tokens, stream)
      const path = await file.write(results, { horizon: `${gate.horizon}` })
      const shapes = Object.entries(results).map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
      const when = gate.horizon === 0 ? 'the tokens themselves' : 'the tokens after them'
      process.stdout.write(
        json
          ? `${JSON.stringify({ output: path, backend: backend.name, stream, horizon: gate.horizon, results: shapes })}\n`
          : `${path}: experts for ${when}\n${shapes.map(({ name, dtype, shape }) => `  ${name} ${dtype}(${shape.join(', ')})\n`).join('')}`,
      )
    } finally {
      await gate.release(backend)
      await backend.dispose()
    }
  } catch (error) {
    file.discard()
    throw error
  }
}

/** `fep-moe gate presets` */
import { createGate, FepError, preset, presets, show } from '@fep-moe/core'

/** What the command line gives. */
export interface PresetFlags {
  readonly dim?: number
  readonly experts?: number
  readonly json?: boolean
}

/** Lists the presets, or prints one with its size: a configuration, ready for `--config`. */
export function printPresets(name: string | undefined, { dim, experts, json }: PresetFlags): void {
  if (name === undefined) {
    if (dim !== undefined || experts !== undefined)
      throw new FepError('FEP_USAGE', 'name the preset whose size --dim and --experts are')
    print(json ? JSON.stringify(presets, null, 2) : overview())
    return
  }
  if (!Object.hasOwn(presets, name))
    throw new FepError(
      'FEP_USAGE',
      `no preset is called ${show(name)}; there is: ${Object.keys(presets).join(', ')}`,
    )
  if (dim === undefined || experts === undefined)
    throw new FepError('FEP_USAGE', `a preset needs its size: --dim and --experts`)
  const config = preset(name as keyof typeof presets, { dim, experts })
  createGate(config as Parameters<typeof createGate>[0])
  print(JSON.stringify(config, null, 2))
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

function overview(): string {
  const width = Math.max(...Object.keys(presets).map((name) => name.length)) + 2
  return Object.entries(presets)
    .map(([name, config]) => `${name.padEnd(width)}${JSON.stringify(config)}`)
    .join('\n')
}

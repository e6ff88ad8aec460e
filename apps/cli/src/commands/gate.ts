/** `fep-moe gate`: gates as files. */
import { presets } from '@fep-moe/core'
import type { Command } from 'commander'
import { backendNames } from '../backends.js'
import { integerFlag, mapFlag, nameFlag } from '../flags.js'
import { type InitFlags, initGate } from './gate/init.js'
import { type InspectFlags, inspectGateFile } from './gate/inspect.js'
import { type PresetFlags, printPresets } from './gate/presets.js'
import { type RunFlags, runGate } from './gate/run.js'

const presetNames = Object.keys(presets) as (keyof typeof presets)[]
const SIZE = 2 ** 24

/** Adds the command and its parts. */
export function gateCommand(program: Command): void {
  const gate = program.command('gate').description('gates as files: draw weights, route tokens, look inside')
  const part = (name: string, description: string) =>
    gate.command(name).description(description).option('--json', 'print JSON')
  part('presets', 'list the presets, or print one as a configuration')
    .argument('[name]', 'the preset to print')
    .option('--dim <n>', 'width of a token', integerFlag('--dim', 1, SIZE))
    .option('--experts <n>', 'number of experts', integerFlag('--experts', 1, SIZE))
    .action((name: string | undefined, flags: PresetFlags) => printPresets(name, flags))
  part('init', 'draw the parameters of a gate')
    .option('--config <file>', 'configuration of the gate, JSON')
    .option(
      '--preset <name>',
      `instead of --config: ${presetNames.join(', ')}`,
      nameFlag('--preset', presetNames),
    )
    .option('--dim <n>', 'width of a token, with --preset', integerFlag('--dim', 1, SIZE))
    .option('--experts <n>', 'number of experts, with --preset', integerFlag('--experts', 1, SIZE))
    .option('--seed <n>', 'the same seed gives the same bytes', integerFlag('--seed', 0, 2 ** 53 - 1), 42)
    .option(
      '--scheme <name>',
      'torch, xavier, zeros',
      nameFlag('--scheme', ['torch', 'xavier', 'zeros']),
      'torch',
    )
    .requiredOption('--output <file>', 'safetensors file to write')
    .action((flags: InitFlags) => initGate(flags))
  part('run', 'route the tokens of a file')
    .requiredOption('--config <file>', 'configuration of the gate, JSON')
    .requiredOption('--weights <file>', 'its parameters, safetensors')
    .requiredOption(
      '--input <file>',
      'safetensors: x (batch, time, dim), and precision or reset where there are any',
    )
    .requiredOption(
      '--output <file>',
      'safetensors file to write: weights, indices, margin, logits, next; with a policy mask, shared, load too',
    )
    .option('--map <ours=theirs>', 'name of a parameter in --weights; may be given several times', mapFlag)
    .option('--backend <name>', backendNames.join(', '), nameFlag('--backend', backendNames), 'js')
    .option('--threads <n>', 'threads of the backend', integerFlag('--threads', 1, 256), 1)
    .option('--stream', 'one token at a time, with the state of every sequence kept between')
    .action((flags: RunFlags) => runGate(flags))
  part('inspect', 'print parameters, FLOPs and state of a gate; draw its graph')
    .requiredOption('--config <file>', 'configuration of the gate, JSON')
    .option('--layers <n>', 'layers that have such a gate', integerFlag('--layers', 1, 1_000_000), 1)
    .option('--sequences <n>', 'sequences at a time', integerFlag('--sequences', 1, 1_000_000_000), 1)
    .option('--svg <file>', 'draw the graph of a step')
    .action((flags: InspectFlags) => inspectGateFile(flags))
}

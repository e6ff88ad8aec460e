/** `fep-moe bench`: how long things take. */
import { experiments } from '@fep-moe/experiments'
import type { Command } from 'commander'
import { backendNames } from '../backends.js'
import { trainableNames } from '../bench/trainings.js'
import { integerFlag, integersFlag, nameFlag } from '../flags.js'
import { interruptible } from '../interrupt.js'
import { benchExecutors, benchMemory } from './bench/executors.js'
import type { BenchFlags } from './bench/flags.js'
import { benchRoute, benchStream } from './bench/inference.js'
import { benchLayer, type LayerFlags } from './bench/layer.js'
import { benchTrain } from './bench/train.js'

/** Every experiment that trains something. */
const trainedNames = experiments.filter(({ trains }) => trains !== false).map(({ name }) => name)

/** Adds the command and its parts. */
export function benchCommand(program: Command): void {
  const bench = program.command('bench').description('time a backend')
  const part = (name: string, description: string, steps: number, what: string) =>
    bench
      .command(name)
      .description(description)
      .option('--threads <n>', 'threads of the backend', integerFlag('--threads', 1, 256), 1)
      .option('--steps <n>', what, integerFlag('--steps', 1, 1_000_000), steps)
      .option('--json', 'print one JSON object per line: what --peer reads')
      .option('--peer <file>', 'JSON lines of another program, or of another run: adds ratios to the table')
  const backend = [
    '--backend <name>',
    backendNames.join(', '),
    nameFlag('--backend', backendNames),
    'onnx',
  ] as const
  part(
    'train',
    'time a training step, batch generation included',
    200,
    'measured steps per condition, after 20 unmeasured ones',
  )
    .option(...backend)
    .option(
      '--experiment <name>',
      `what is trained, with the paper’s settings: ${trainedNames.join(', ')}`,
      nameFlag('--experiment', trainedNames),
      'ablation',
    )
    .option('--condition <list>', 'conditions of the experiment, separated by commas; default: all')
    .option(
      '--profile',
      `print the time per node of the program instead (onnx; ${trainableNames.join(', ')})`,
    )
    .action((flags: BenchFlags) => interruptible((signal) => benchTrain(flags, signal)))
  part(
    'stream',
    'time one routing decision at a time',
    2000,
    'measured steps per size, after 200 unmeasured ones',
  )
    .option(...backend)
    .action((flags: BenchFlags) => interruptible((signal) => benchStream(flags, signal)))
  part('route', 'time the routing of long sequences', 10, 'measured calls, after 2 unmeasured ones')
    .option(...backend)
    .action((flags: BenchFlags) => interruptible((signal) => benchRoute(flags, signal)))
  part('layer', 'time a sparse layer', 20, 'measured calls per number of experts, after 2 unmeasured ones')
    .option(...backend)
    .option('--tokens <n>', 'tokens of a call', integerFlag('--tokens', 1, 1_000_000), 4096)
    .option('--d <n>', 'width of a token', integerFlag('--d', 1, 65_536), 256)
    .option('--hidden <n>', 'hidden units of an expert', integerFlag('--hidden', 1, 1_000_000), 1024)
    .option(
      '--experts <list>',
      'numbers of experts, separated by commas',
      integersFlag('--experts', 1, 65_536),
      [16, 128],
    )
    .option('--top-k <n>', 'experts per token', integerFlag('--top-k', 1, 65_536), 2)
    .action((flags: LayerFlags) => interruptible((signal) => benchLayer(flags, signal)))
  part(
    'executors',
    'time every executor that runs here: forward, training step, streaming step',
    50,
    'measured steps',
  ).action((flags: BenchFlags) => interruptible((signal) => benchExecutors(flags, signal)))
  part('memory', 'watch the memory of every executor over many streaming steps', 100_000, 'steps').action(
    (flags: BenchFlags) => interruptible((signal) => benchMemory(flags, signal)),
  )
}

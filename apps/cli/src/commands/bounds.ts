/** `fep-moe bounds`: the best that any gate can do on a task, by its exact filter. */
import { FepError, show } from '@fep-moe/core'
import { type BoundedTask, boundedTasks, type SampledBound } from '@fep-moe/experiments'
import type { Command } from 'commander'
import { integerFlag } from '../flags.js'

interface Flags {
  readonly n?: number
  readonly seed: number
  readonly json?: boolean
}

/** More sequences than anybody waits for; the standard error falls with their square root. */
const MOST = 10_000_000

/** Adds the command. */
export function boundsCommand(program: Command): void {
  program
    .command('bounds')
    .description('draw streams of a task and score the exact Bayes filter on them: no gate does better')
    .argument('[task]', 'its name; without one, list the tasks')
    .option(
      '--n <sequences>',
      'how many, in whole batches (default: some seconds’ worth)',
      integerFlag('--n', 1, MOST),
    )
    .option('--seed <seed>', 'of the streams', integerFlag('--seed', 0, Number.MAX_SAFE_INTEGER), 1)
    .option('--json', 'print JSON')
    .action((name: string | undefined, flags: Flags) => {
      process.stdout.write(`${name === undefined ? list(flags) : bound(find(name), flags)}\n`)
    })
}

function find(name: string): BoundedTask {
  const task = boundedTasks.find((one) => one.name === name)
  if (task) return task
  throw new FepError(
    'FEP_USAGE',
    `no task is called ${show(name)}; there is: ${boundedTasks.map((one) => one.name).join(', ')}`,
  )
}

function list({ n, json }: Flags): string {
  if (n !== undefined) throw new FepError('FEP_USAGE', 'name the task whose sequences --n counts')
  const rows = boundedTasks.map(({ name, title, settings, sequences }) => ({
    name,
    title,
    sequences,
    settings,
  }))
  return json
    ? JSON.stringify(rows, null, 2)
    : rows.map(({ name, title }) => `${name.padEnd(23)}${title}`).join('\n')
}

function bound(
  { name, settings, sequences, bound }: BoundedTask,
  { n = sequences, seed, json }: Flags,
): string {
  const found = bound(n, seed)
  return json
    ? JSON.stringify({ task: name, sequences: n, seed, settings, bound: found }, null, 2)
    : text(found)
}

function text(found: SampledBound): string {
  const lines = Object.entries(found).flatMap(([steps, metrics]) =>
    Object.entries(metrics).map(
      ([metric, { mean, standardError }]) =>
        `${steps.padEnd(10)}${metric.padEnd(14)}${mean.toFixed(5)} ± ${standardError.toFixed(5)}`,
    ),
  )
  return lines.join('\n')
}

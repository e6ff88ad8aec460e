/** Time per node of a training program, from the runtime's own profiler. */
import { FepError } from '@fep-moe/core'
import type { Table } from '@fep-moe/experiments'
import { type BackendName, openBackend } from '../backends.js'
import { recordRun } from './timed-runs.js'
import { trainableNames, trainables } from './trainings.js'

/** What to profile. */
export interface ProfileOptions {
  readonly experiment: string
  readonly backend: BackendName
  readonly condition: string
  readonly threads: number
  readonly steps: number
}

/** One line of the profile; the keys are the output's. */
export interface NodeTiming {
  readonly condition: string
  readonly node: string
  readonly op: string
  /** Mean microseconds per step, all calls together. */
  readonly us: number
  readonly calls: number
}

/**
 * Profiles one condition's training step, slowest node first.
 * @throws FEP_UNSUPPORTED where the backend has no profiler
 */
export async function profileTraining({
  backend: name,
  experiment,
  condition,
  threads,
  steps,
}: ProfileOptions): Promise<NodeTiming[]> {
  if (name !== 'onnx')
    throw new FepError('FEP_UNSUPPORTED', `--profile needs a backend with a profiler: onnx, not ${name}`)
  const trainable = trainableNames.find((one) => one === experiment)
  if (!trainable)
    throw new FepError(
      'FEP_UNSUPPORTED',
      `--profile needs a training that is lent a step at a time: ${trainableNames.join(', ')}, not ${experiment}`,
    )
  const { profile } = await import('@fep-moe/onnx')
  const { backend, recorded } = recordRun(await openBackend(name, { threads }))
  try {
    const training = await trainables[trainable].open(backend, condition)
    await training.sample()()
    const { program, feeds } = recorded()
    const { nodes } = await profile(program, feeds, { runs: steps, threads })
    await training.dispose()
    return nodes.map(({ name: node, op, us, calls }) => ({ condition, node, op, us, calls }))
  } finally {
    await backend.dispose()
  }
}

/** The profile as a table. */
export function profileTable(condition: string, nodes: readonly NodeTiming[]): Table {
  const total = nodes.reduce((sum, node) => sum + node.us, 0)
  return {
    title: `${condition}: time per node of a training step`,
    columns: ['node', 'operator', 'µs', 'share', 'calls'],
    rows: nodes.map(({ node, op, us, calls }) => [
      node,
      op,
      us.toFixed(1),
      `${((100 * us) / total).toFixed(1)} %`,
      String(Math.round(calls * 100) / 100),
    ]),
    notes: [`${total.toFixed(0)} µs in all nodes`],
  }
}

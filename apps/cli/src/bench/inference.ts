/** Times routing: one token at a time, and whole sequences. */
import { type Backend, createGate, random, type Tensor, tensor } from '@fep-moe/core'
import { type LapOptions, type Laps, timeLaps } from './laps.js'

/** Memory and direct anticipation, dense weights: the gate of the PyTorch peer that these timings are read against. */
const gateOf = (dim: number, experts: number) =>
  createGate({ dim, experts, memory: { kind: 'leaky' }, anticipation: { kind: 'direct' } })

const normals = (shape: readonly number[]): Tensor => {
  const x = tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), shape)
  random(0, 'bench').fillNormal(x.data as Float32Array)
  return x
}

/** Sizes (d, E) of the streaming benchmark. */
export const STREAM_SIZES = [
  [16, 4],
  [64, 8],
  [256, 64],
  [1024, 64],
] as const

/** One size's timing; the keys are the output's. */
export interface StreamTiming extends Laps {
  readonly what: 'stream'
  readonly d: number
  readonly experts: number
}

/** Times `stream.step` for one sequence. */
export async function timeStream(
  backend: Backend,
  [d, experts]: readonly [number, number],
  laps: LapOptions,
): Promise<StreamTiming> {
  const gate = gateOf(d, experts)
  const stream = await gate.stream(backend, gate.init({ seed: 0 }), { batch: 1 })
  const token = normals([1, d])
  try {
    return { what: 'stream', d, experts, ...(await timeLaps(() => stream.step(token), laps)) }
  } finally {
    stream.dispose()
  }
}

/** Sizes of the sequence benchmark. */
export interface RouteSize {
  readonly batch: number
  readonly steps: number
  readonly dim: number
  readonly experts: number
}

/** The large one; the predictor is 2d → 4d → d. */
export const ROUTE_SIZE: RouteSize = { batch: 8, steps: 1024, dim: 512, experts: 64 }

/** One size's timing. */
export interface RouteTiming extends Laps, RouteSize {
  readonly what: 'route'
}

/** Times `gate.route`, reading of results included. */
export async function timeRoute(backend: Backend, size: RouteSize, laps: LapOptions): Promise<RouteTiming> {
  const { batch, steps, dim, experts } = size
  const gate = gateOf(dim, experts)
  const params = gate.init({ seed: 0 })
  const x = normals([batch, steps, dim])
  try {
    return { what: 'route', ...size, ...(await timeLaps(() => gate.route(backend, params, x), laps)) }
  } finally {
    await gate.release(backend)
  }
}

/** Streams sequences of the paper's task through a gate, one token at a time, and looks inside. */
import {
  type Backend,
  type DeviceTensor,
  type Gate,
  type Params,
  type Tensor,
  toHost,
  zeros,
} from '@fep-moe/core'
import { type DomainSwitchBatch, openDomainSwitch } from '@fep-moe/experiments'

/** Sequences that run side by side: one is shown, all are counted. */
export const SEQUENCES = 32

/** What the shown sequence looks like at one token. */
export interface Moment {
  /** Tokens since the player was opened. */
  readonly n: number
  /** Step in the sequence, 0..T−1. */
  readonly step: number
  /** Mean of the token over the dimensions of either domain. */
  readonly token: readonly [number, number]
  /** The same of x̂, the token that the gate expects next. */
  readonly prediction?: readonly [number, number]
  /** h (d) */
  readonly membrane?: ArrayLike<number>
  /** Gate mass per expert (E). */
  readonly mass: ArrayLike<number>
  readonly chosen: number
  /** The right expert; none at the last step, which has no successor. */
  readonly right?: number
  /** Over all sequences: how many chose the right expert. */
  readonly hits: number
}

/** A running stream. */
export interface Player {
  /** Replaces what the gate has learned; Π where it has precision. */
  use(params: Params, precision?: Tensor): void
  /** Takes the next token. Not while another call is under way. */
  advance(): Promise<Moment>
  dispose(): void
}

/** Opens a stream that has a seed of its own: never the batches of a training. */
export async function openPlayer(
  backend: Backend,
  gate: Gate,
  params: Params,
  seed: number,
): Promise<Player> {
  const { dim } = gate.config
  const stream = openDomainSwitch({ batch: SEQUENCES }, seed + 1_000_003)
  const { steps } = stream.task
  const program = await backend.compile(gate.graph({ steps: 1, state: true, next: false, details: true }))
  const initial: Readonly<Record<string, Tensor>> = gate.config.memory
    ? { 'state/memory': zeros([SEQUENCES, dim]) }
    : {}
  let learned: Readonly<Record<string, Tensor>> = { ...params, ...uniformPrecision(gate) }
  let state = initial
  let batch = stream.next()
  let n = 0
  return {
    use: (next, precision) => {
      learned = { ...next, ...(precision ? { precision } : uniformPrecision(gate)) }
    },
    advance: async () => {
      const step = n % steps
      if (step === 0) {
        batch = stream.next()
        state = initial
      }
      const x = columnOf(batch, step)
      const out = await hosts(await program.run({ ...learned, ...state, x }))
      const held = out['state/memory']
      if (held) state = { 'state/memory': held }
      // Sequences that start in the first domain come first in a batch; shown are both kinds, in turn.
      const shown = Math.floor(n / steps) % 2 === 0 ? 0 : SEQUENCES - 1
      return momentOf(n++, step, shown, x, batch, out)
    },
    dispose: () => program.dispose(),
  }
}

/** Every expert alike, until a tracker has seen something. */
const uniformPrecision = ({ config: { precision, experts } }: Gate): { precision?: Tensor } =>
  precision
    ? {
        precision: {
          dtype: 'float32',
          shape: [experts],
          data: new Float32Array(experts).fill(1 / (precision.initialVariance + precision.epsilon)),
        },
      }
    : {}

/** The tokens of one step as (B,1,d), from a batch that is (d,T,B). */
function columnOf({ x }: DomainSwitchBatch, step: number): Tensor {
  const [dim, steps, count] = x.shape as [number, number, number]
  const data = new Float32Array(count * dim)
  for (let d = 0; d < dim; d++)
    for (let b = 0; b < count; b++) data[b * dim + d] = x.data[(d * steps + step) * count + b] as number
  return { dtype: 'float32', shape: [count, 1, dim], data }
}

async function hosts(fetched: Readonly<Record<string, DeviceTensor>>): Promise<Record<string, Tensor>> {
  const read = Object.entries(fetched).map(async ([name, t]) => {
    const host = await toHost(t)
    t.dispose()
    return [name, host] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

function momentOf(
  n: number,
  step: number,
  shown: number,
  x: Tensor,
  { targets }: DomainSwitchBatch,
  out: Readonly<Record<string, Tensor>>,
): Moment {
  const rowOf = (t: Tensor | undefined) => {
    const width = (t?.data.length ?? 0) / SEQUENCES
    return t?.data.subarray(shown * width, (shown + 1) * width)
  }
  const [scored] = targets.shape as [number]
  const indices = (out.indices as Tensor).data
  const rights = step < scored ? targets.data.subarray(step * SEQUENCES, (step + 1) * SEQUENCES) : undefined
  let hits = 0
  if (rights) for (let b = 0; b < SEQUENCES; b++) if (indices[b] === rights[b]) hits++
  const prediction = rowOf(out.prediction)
  const membrane = rowOf(out.memory)
  return {
    n,
    step,
    token: halves(rowOf(x) as ArrayLike<number>),
    ...(prediction && { prediction: halves(prediction) }),
    ...(membrane && { membrane: Float32Array.from(membrane) }),
    mass: Float32Array.from(rowOf(out.weights) as ArrayLike<number>),
    chosen: indices[shown] as number,
    ...(rights && { right: rights[shown] as number }),
    hits,
  }
}

/** Means over the first and the second half. */
function halves(row: ArrayLike<number>): readonly [number, number] {
  const half = row.length / 2
  let [first, second] = [0, 0]
  for (let i = 0; i < half; i++) {
    first += row[i] as number
    second += row[half + i] as number
  }
  return [first / half, second / half]
}

/** Recurrences: a number reaches later steps of its own lane, never earlier ones. */
import { type Graph, GraphBuilder, ops, type Tensor } from '@fep-moe/core'
import { fill, noise } from '../../frame/data.js'
import { type FloatOp, type Subject, type SubjectsOf, subject } from '../subject.js'

type Recurrences = Extract<FloatOp, 'LinearScan' | 'Scan'>

interface LinearOptions {
  readonly steps: number
  readonly varies?: boolean
  readonly reverse?: boolean
}

const [LANES, BATCH] = [2, 2]

/** The layout of a gate: dimensions, time, sequences. A lane is one dimension of one sequence. */
function linear(what: string, { steps, varies = false, reverse = false }: LinearOptions): Subject {
  const decays = varies ? steps : 1
  return subject(
    what,
    {
      a: noise(641, [LANES, decays, 1], 0.5, 0.95),
      b: noise(642, [LANES, steps, BATCH]),
      h0: noise(643, [LANES, 1, BATCH], 0.5, 1),
    },
    (v) => ({ ...ops.linearScan(v.a, v.b, v.h0, { axis: 1, reverse }) }),
    ({ a, b, h0 }) => {
      const h = new Float64Array(LANES * steps * BATCH)
      const last = new Float64Array(LANES * BATCH)
      for (let lane = 0; lane < LANES * BATCH; lane++) {
        const [d, s] = [Math.floor(lane / BATCH), lane % BATCH]
        let state = h0.data[lane] as number
        for (let k = 0; k < steps; k++) {
          const t = reverse ? steps - 1 - k : k
          const at = (d * steps + t) * BATCH + s
          state = (a.data[varies ? d * steps + t : d] as number) * state + (b.data[at] as number)
          h[at] = state
        }
        last[lane] = state
      }
      return {
        h: fill([LANES, steps, BATCH], (k) => h[k] as number),
        last: fill([LANES, 1, BATCH], (k) => last[k] as number),
      }
    },
    { lane: 1, tolerance: { atol: 1e-5, rtol: 2e-6 } },
  )
}

/** h ← h · x + c, and h is read after every step. */
function body(): Graph {
  const builder = new GraphBuilder('step')
  const [h, x, c] = ['h', 'x', 'c'].map((name) => builder.input(name, 'float32', [BATCH]))
  if (!h || !x || !c) throw new RangeError('three inputs were declared')
  const next = ops.add(ops.mul(h, x), c)
  builder.output('h', next)
  builder.output('y', next)
  return builder.build()
}

const general = (what: string, steps: number): Subject =>
  subject(
    what,
    { h: noise(644, [BATCH], 0.5, 1), x: noise(645, [steps, BATCH], 0.5, 0.95), c: noise(646, [BATCH]) },
    (v) => {
      const { last, ys } = ops.scan(body(), { init: [v.h], xs: [v.x], consts: [v.c] }, { axis: 0 })
      return { last: last[0] as (typeof last)[number], y: ys[0] as (typeof ys)[number] }
    },
    ({ h, x, c }) => {
      const all = new Float64Array(steps * BATCH)
      for (let s = 0; s < BATCH; s++) {
        let state = h.data[s] as number
        for (let t = 0; t < steps; t++) {
          state = state * (x.data[t * BATCH + s] as number) + (c.data[s] as number)
          all[t * BATCH + s] = state
        }
      }
      const y: Tensor = fill([steps, BATCH], (k) => all[k] as number)
      return { last: fill([BATCH], (k) => all[(steps - 1) * BATCH + k] as number), y }
    },
    { tolerance: { atol: 1e-5, rtol: 2e-6 } },
  )

export const recurrences: SubjectsOf<Recurrences> = {
  LinearScan: [
    linear('5-steps', { steps: 5 }),
    linear('5-steps-reverse', { steps: 5, reverse: true }),
    linear('5-steps-time-varying', { steps: 5, varies: true }),
    linear('1-step', { steps: 1 }),
    linear('150-steps', { steps: 150 }),
    linear('150-steps-reverse', { steps: 150, reverse: true }),
  ],
  Scan: [general('4-steps', 4), general('40-steps', 40)],
}

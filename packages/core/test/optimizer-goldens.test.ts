/** Optimizers, clipping and schedules against numbers of torch (tools/goldens/optimizers.py), in double precision. */
import { describe, expect, it } from 'vitest'
import {
  adamW,
  clipGlobalNorm,
  constantRate,
  cosineAnnealing,
  GraphBuilder,
  gradients,
  type Optimizer,
  ops,
  type Schedule,
  sgd,
  type Tensor,
  verifyGraph,
  warmUp,
} from '../src/index.js'
import { applyOptimizer, packInputs } from '../src/training/index.js'
import goldens from './fixtures/optimizer-goldens.json' with { type: 'json' }
import { codeOf, evaluate, wave } from './helpers.js'

/** loss = Σ (p − target)² over two parameters. */
function problem() {
  const b = new GraphBuilder('problem')
  const parts = ['a', 'b'].map((name) => {
    const d = ops.sub(b.input(name, 'float32', [2, 2]), b.input(`target/${name}`, 'float32', [2, 2]))
    return ops.sum(ops.mul(d, d))
  })
  b.output('loss', ops.add(parts[0] as never, parts[1] as never))
  return gradients(b.build(), { of: 'loss', wrt: ['a', 'b'] })
}

const double = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(values),
})

/** Both parameters after each step, as one list. `packed`: as one vector, the way trainers hold them. */
function trajectory(optimizer: Optimizer, steps: number, schedule: Schedule, packed: boolean): number[][] {
  const [graph, names] = packed ? [packInputs(problem(), ['a', 'b']), ['params']] : [problem(), ['a', 'b']]
  const updating = applyOptimizer(graph, optimizer, names)
  verifyGraph(updating)
  const eighths = Array.from({ length: 8 }, (_, i) => i / 8)
  let held: Record<string, Tensor> = packed
    ? { params: double(eighths, [8]) }
    : { a: double(eighths.slice(0, 4), [2, 2]), b: double(eighths.slice(4), [2, 2]) }
  for (const name of names)
    for (const s of optimizer.state) {
      const shape = s.shape === 'scalar' ? [] : (held[name] as Tensor).shape
      const count = shape.reduce((n, d) => n * d, 1)
      held[`${optimizer.name}/${s.name}/${name}`] = double(new Array(count).fill(0), shape)
    }
  const rows: number[][] = []
  for (let t = 0; t < steps; t++) {
    const feeds = { 'target/a': wave([2, 2], 3), 'target/b': wave([2, 2], 4), lr: double([schedule(t)], []) }
    const results = evaluate(updating, { ...held, ...feeds })
    held = Object.fromEntries(Object.keys(held).map((name) => [name, results[name] as Tensor]))
    rows.push(names.flatMap((name) => Array.from(held[name]?.data ?? [])))
  }
  return rows
}

const close = (got: readonly number[], want: readonly number[]) => {
  expect(got.length).toBe(want.length)
  got.forEach((x, i) => expect(x).toBeCloseTo(want[i] as number, 12))
}

const warmCosine = (lr: number) =>
  warmUp(cosineAnnealing({ lr, steps: 4, minimum: 0.01 }), { steps: 2, start: 0.25 })

describe.each([true, false])('updates are those of torch (packed: %s)', (packed) => {
  const cases: [keyof typeof goldens, Optimizer, Schedule][] = [
    ['adamw', adamW({ lr: 0.05 }), constantRate(0.05)],
    [
      'adamw_decay',
      adamW({ lr: 0.05, betas: [0.8, 0.95], epsilon: 1e-6, weightDecay: 0.3 }),
      constantRate(0.05),
    ],
    ['adamw_clipped', clipGlobalNorm(adamW({ lr: 0.05 }), { maxNorm: 0.5 }), constantRate(0.05)],
    ['sgd_clipped', clipGlobalNorm(sgd({ lr: 0.1, momentum: 0.9 }), { maxNorm: 1.5 }), constantRate(0.1)],
    ['sgd_not_clipped', clipGlobalNorm(sgd({ lr: 0.1, momentum: 0.9 }), { maxNorm: 1e6 }), constantRate(0.1)],
    ['adamw_scheduled', adamW({ lr: 0.1 }), warmCosine(0.1)],
  ]
  it.each(cases)('%s', (name, optimizer, schedule) => {
    const want = goldens[name] as number[][]
    trajectory(optimizer, want.length, schedule, packed).forEach((row, t) => close(row, want[t] as number[]))
  })
})

describe('schedules', () => {
  const over = (schedule: Schedule, want: readonly number[]) =>
    close(
      want.map((_, t) => schedule(t)),
      want,
    )

  it('are those of torch', () => {
    over(cosineAnnealing({ lr: 0.1, steps: 10, minimum: 0.001 }), goldens.cosine)
    over(warmUp(constantRate(0.3), { steps: 5 }), goldens.warm_up)
    over(warmCosine(0.2), goldens.warm_up_cosine)
  })

  it('stay at the minimum after the last step', () => {
    const schedule = cosineAnnealing({ lr: 1, steps: 4, minimum: 0.25 })
    expect([schedule(4), schedule(5), schedule(8)]).toEqual([0.25, 0.25, 0.25])
  })
})

describe('clipping', () => {
  it('leaves gradients of zero alone', () => {
    const b = new GraphBuilder('flat')
    b.output('loss', ops.mul(ops.sum(b.input('a', 'float32', [3])), 0))
    const graph = applyOptimizer(
      gradients(b.build(), { of: 'loss', wrt: ['a'] }),
      clipGlobalNorm(sgd({ lr: 1 }), { maxNorm: 1 }),
      ['a'],
    )
    const { a } = evaluate(graph, { a: double([1, 2, 3], [3]), lr: double([1], []) })
    expect(Array.from(a?.data ?? [])).toEqual([1, 2, 3])
  })

  it('composes: the tighter of two bounds holds', () => {
    const tight = clipGlobalNorm(sgd({ lr: 0.1 }), { maxNorm: 0.5 })
    const rate = constantRate(0.1)
    const [inside, alone] = [
      trajectory(clipGlobalNorm(tight, { maxNorm: 4 }), 3, rate, true),
      trajectory(tight, 3, rate, true),
    ]
    // Each bound adds its 1e-6 to the norm.
    inside.flat().forEach((x, i) => expect(x).toBeCloseTo(alone.flat()[i] as number, 6))
  })
})

describe('bad settings', () => {
  const bad: [string, () => unknown][] = [
    ['a negative decay', () => adamW({ lr: 0.1, weightDecay: -1 })],
    ['an unknown field of adamW', () => adamW({ lr: 0.1, decay: 1 } as never)],
    ['a rate that is no number', () => adamW({ lr: '1' } as never)],
    ['beta of 1', () => adamW({ lr: 0.1, betas: [0.9, 1] })],
    ['a norm of zero', () => clipGlobalNorm(sgd({ lr: 1 }), { maxNorm: 0 })],
    ['no norm', () => clipGlobalNorm(sgd({ lr: 1 }), {} as never)],
    ['an infinite norm', () => clipGlobalNorm(sgd({ lr: 1 }), { maxNorm: Number.POSITIVE_INFINITY })],
    ['a schedule of no steps', () => cosineAnnealing({ lr: 1, steps: 0 })],
    ['a fractional number of steps', () => cosineAnnealing({ lr: 1, steps: 2.5 })],
    ['a negative minimum', () => cosineAnnealing({ lr: 1, steps: 2, minimum: -1 })],
    ['a warm-up from above the rate', () => warmUp(constantRate(1), { steps: 2, start: 2 })],
    ['a warm-up of no steps', () => warmUp(constantRate(1), { steps: 0 })],
    ['a constant rate below zero', () => constantRate(-0.1)],
  ]
  it.each(bad)('refuses %s', async (_name, make) => {
    expect(await codeOf(make)).toBe('FEP_BAD_CONFIG')
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  adam,
  type Backend,
  createGate,
  full,
  type GateConfig,
  type GateState,
  gateStates,
  preset,
  presets,
  referenceBackend,
  sgd,
  type Tensor,
} from '../src/index.js'
import { codeOf, ints, wave32 } from './helpers.js'

let backend: Backend
beforeAll(async () => {
  backend = await referenceBackend()
})
afterAll(() => backend.dispose())

describe('training', () => {
  const gate = createGate(preset('paper-a/full', { dim: 4, experts: 3 }))
  const batch = (phase: number) => ({
    x: wave32([6, 5, 4], phase),
    targets: ints(
      Array.from({ length: 30 }, (_, i) => (i * 7 + phase) % 3),
      [6, 5],
    ),
  })

  it('a step is accumulate and apply', async () => {
    const options = { optimizer: adam({ lr: 0.01 }), loss: { kind: 'cross-entropy', time: 'sum' } } as const
    const [whole, halves] = await Promise.all([
      gate.trainer(backend, gate.init({ seed: 1 }), options),
      gate.trainer(backend, gate.init({ seed: 1 }), options),
    ])
    for (let i = 0; i < 3; i++) {
      const a = await (await whole.step(batch(i))).loss()
      const b = await (await halves.accumulate(batch(i))).loss()
      await halves.apply()
      expect(b).toBe(a)
    }
    expect(await halves.params()).toEqual(await whole.params())
    expect(await codeOf(() => halves.apply())).toBe('FEP_UNSUPPORTED')
    await whole.dispose()
    expect(await codeOf(() => whole.step(batch(0)))).toBe('FEP_DISPOSED')
  })

  it('micro-batches average: two halves make the whole batch', async () => {
    const options = { optimizer: sgd({ lr: 0.1 }), loss: 'cross-entropy' } as const
    const [whole, halves] = await Promise.all([
      gate.trainer(backend, gate.init({ seed: 1 }), options),
      gate.trainer(backend, gate.init({ seed: 1 }), options),
    ])
    const { x, targets } = batch(0)
    await whole.step({ x, targets })
    for (const half of [0, 1])
      await halves.accumulate({
        x: { ...x, shape: [3, 5, 4], data: x.data.slice(60 * half, 60 * half + 60) },
        targets: ints([...targets.data.slice(15 * half, 15 * half + 15)], [3, 5]),
      })
    await halves.apply()
    const [a, b] = [await whole.params(), await halves.params()]
    for (const [name, t] of Object.entries(a))
      t.data.forEach((v: number, i: number) => expect(b[name]?.data[i]).toBeCloseTo(v, 6))
  })

  it('layouts agree, logits come back batch-major, loss falls', async () => {
    const options = {
      optimizer: adam({ lr: 0.01 }),
      loss: { kind: 'cross-entropy', lastStep: 'drop' },
    } as const
    const [rows, columns] = await Promise.all([
      gate.trainer(backend, gate.init({ seed: 1 }), options),
      gate.trainer(backend, gate.init({ seed: 1 }), { ...options, layout: 'feature-major' }),
    ])
    const { x, targets } = batch(0)
    const swap = (t: Tensor, f: number, steps: number): Tensor => ({
      ...t,
      shape: f > 1 ? [f, steps, 6] : [steps, 6],
      data: t.data.map(
        (_: number, i: number) =>
          t.data[((i % 6) * steps + (Math.floor(i / 6) % steps)) * f + Math.floor(i / 6 / steps)] as number,
      ) as Tensor['data'],
    })
    const losses: number[] = []
    for (let i = 0; i < 4; i++) {
      const a = await rows.step({ x, targets })
      const b = await columns.step({ x: swap(x, 4, 5), targets: swap(targets, 1, 5) })
      expect(await b.loss()).toBe(await a.loss())
      expect(await b.logits()).toEqual(await a.logits())
      expect((await a.logits()).shape).toEqual([6, 4, 3])
      losses.push(await a.loss())
    }
    expect(losses[3]).toBeLessThan(losses[0] as number)
  })

  it('a mask takes steps out of the loss, and a reset keeps documents apart', async () => {
    const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), {
      optimizer: sgd({ lr: 0 }),
      loss: { kind: 'cross-entropy', predictionWeight: 0 },
    })
    const { x, targets } = batch(0)
    const only = full([6, 5], 0)
    only.data[7] = 1
    const masked = await (await trainer.step({ x, targets, mask: only })).loss()
    const logits = [...(await (await trainer.step({ x, targets })).logits()).data.slice(21, 24)]
    const want =
      Math.log(logits.reduce((n, z) => n + Math.exp(z), 0)) - (logits[targets.data[7] as number] as number)
    expect(masked).toBeCloseTo(want, 5)
    const reset = full([6, 5], 1, 'bool')
    const apart = await (await trainer.step({ x, targets, reset })).logits()
    const alone = await (
      await trainer.step({ x: { ...x, shape: [30, 1, 4] }, targets: { ...targets, shape: [30, 1] } })
    ).logits()
    expect([...apart.data]).toEqual([...alone.data])
  })

  it('a single step is legal in every form', async () => {
    for (const lastStep of ['keep', 'drop'] as const) {
      const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), {
        optimizer: adam({ lr: 0.01 }),
        loss: { kind: 'cross-entropy', time: 'sum', lastStep },
      })
      const steps = lastStep === 'keep' ? 1 : 0
      const loss = await (
        await trainer.step({ x: wave32([2, 1, 4]), targets: ints(new Array(2 * steps).fill(1), [2, steps]) })
      ).loss()
      expect(Number.isFinite(loss)).toBe(true)
      if (steps === 0) expect(loss).toBe(0)
    }
  })

  it('regresses on target weights', async () => {
    const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), {
      optimizer: adam({ lr: 0.05 }),
      loss: { kind: 'mse', predictionWeight: 0 },
    })
    const target = { ...full([6, 5, 3], 0), data: new Float32Array(90).map((_, i) => Number(i % 3 === 1)) }
    const losses: number[] = []
    for (let i = 0; i < 20; i++)
      losses.push(await (await trainer.step({ x: wave32([6, 5, 4]), targets: target })).loss())
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 4)
  })

  it('refuses bad settings and batches', async () => {
    const params = gate.init({ seed: 1 })
    const optimizer = sgd({ lr: 0.1 })
    const trainer = await gate.trainer(backend, params, { optimizer })
    const { x, targets } = batch(0)
    const cases: [string, () => unknown][] = [
      ['FEP_BAD_CONFIG', () => gate.trainer(backend, params, {} as never)],
      ['FEP_BAD_CONFIG', () => gate.trainer(backend, params, { optimizer, layout: 'rows' as never })],
      ['FEP_BAD_CONFIG', () => gate.trainer(backend, params, { optimizer, loss: 'hinge' as never })],
      [
        'FEP_BAD_CONFIG',
        () => gate.trainer(backend, params, { optimizer, loss: { kind: 'mse', temperature: 2 } as never }),
      ],
      [
        'FEP_BAD_CONFIG',
        () =>
          createGate(preset('paper-a/oracle', { dim: 4, experts: 3 })).trainer(
            backend,
            { 'W.weight': params['W.weight'] as Tensor, 'W.bias': params['W.bias'] as Tensor },
            { optimizer, loss: { kind: 'mse', lastStep: 'keep' } },
          ),
      ],
      ['FEP_BAD_PARAMS', () => gate.trainer(backend, {}, { optimizer })],
      ['FEP_BAD_FEED', () => trainer.step({ x, targets: ints([1]) })],
      ['FEP_BAD_FEED', () => trainer.step({ x, targets: full([6, 5], 1) })],
      ['FEP_BAD_FEED', () => trainer.step({ x: full([4], 1), targets })],
      ['FEP_BAD_FEED', () => trainer.step({ x, targets, mask: full([6, 3], 1) })],
      ['FEP_BAD_ARGUMENT', () => trainer.step({ x, targets }, { lr: Number.NaN })],
    ]
    for (const [code, body] of cases) expect(await codeOf(body)).toBe(code)
  })
})

describe('vjp', () => {
  it('pulls cotangents back to parameters and tokens, as finite differences have it', async () => {
    const precise = await referenceBackend({ precision: 'float64' })
    const gate = createGate({
      dim: 3,
      experts: 3,
      memory: { kind: 'leaky' },
      precision: { kind: 'gain' },
      anticipation: { kind: 'additive', width: 4 },
      select: { kind: 'top-k', k: 2 },
    })
    const params = gate.init({ seed: 4 })
    const x = wave32([2, 3, 3])
    const weights = wave32([2, 3, 3], 1)
    const { vjp } = await gate.vjp(precise, params, x)
    const gradients = await vjp({ weights })
    const value = async (p: typeof params, tokens: Tensor) =>
      [...(await gate.route(precise, p, tokens)).weights.data].reduce(
        (n, w, i) => n + w * (weights.data[i] as number),
        0,
      )
    const h = 1e-6
    for (const name of [...Object.keys(params), 'x']) {
      const t = name === 'x' ? x : (params[name] as Tensor)
      for (const i of [0, t.data.length - 1]) {
        const at = (delta: number) => {
          const data = Float64Array.from(t.data)
          data[i] = (data[i] as number) + delta
          return name === 'x'
            ? value(params, { ...t, data })
            : value({ ...params, [name]: { ...t, data } }, x)
        }
        expect(gradients[name]?.data[i], `${name}[${i}]`).toBeCloseTo(
          ((await at(h)) - (await at(-h))) / (2 * h),
          6,
        )
      }
    }
    expect(await codeOf(() => vjp({ margin: weights } as never))).toBe('FEP_BAD_FEED')
    expect((await vjp({})).x?.data.every((v: number) => v === 0)).toBe(true)
  })

  it('frees every result of its runs', async () => {
    let held = 0
    const counting: Backend = {
      ...backend,
      compile: async (graph) => {
        const program = await backend.compile(graph)
        const run: typeof program.run = async (feeds) => {
          const fetched = Object.entries(await program.run(feeds))
          held += fetched.length
          return Object.fromEntries(fetched.map(([name, t]) => [name, { ...t, dispose: () => held-- }]))
        }
        return { ...program, run }
      },
    }
    const gate = createGate({ dim: 2, experts: 2 })
    const { vjp } = await gate.vjp(counting, gate.init({ seed: 1 }), wave32([1, 2, 2]))
    await vjp({ logits: full([1, 2, 2], 1) })
    await gate.route(counting, gate.init({ seed: 1 }), wave32([1, 2, 2]))
    expect(held).toBe(0)
  })
})

describe('windows of a long sequence', () => {
  const tokens = (from: number, to: number, x: Tensor): Tensor => {
    const [rows, steps, width] = x.shape as [number, number, number]
    const parts = Array.from({ length: rows }, (_, b) => [
      ...x.data.slice((b * steps + from) * width, (b * steps + to) * width),
    ])
    return { ...x, shape: [rows, to - from, width], data: Float32Array.from(parts.flat()) }
  }
  const configs = {
    affinity: {},
    full: presets['paper-a/full'],
    belief: { belief: { phases: 5 } },
    'clock and membrane': {
      memory: { kind: 'leaky' },
      clock: { surpriseReset: true },
      anticipation: { kind: 'direct' },
    },
    'tracked precision': { memory: { kind: 'mean' }, precision: { kind: 'evidence', scope: 'tracked' } },
  } as const

  it.each(Object.keys(configs) as (keyof typeof configs)[])(
    '%s goes on where the window before ended',
    async (name) => {
      const gate = createGate({ ...configs[name], dim: 4, experts: 3 } as GateConfig)
      const x = wave32([2, 9, 4])
      const targets = ints(
        Array.from({ length: 18 }, (_, i) => (i * 7) % 3),
        [2, 9],
      )
      // A rate of 0: both windows are then of the same parameters, as the whole is.
      const open = () => gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: sgd({ lr: 0 }) })
      const [whole, windows] = await Promise.all([open(), open()])
      const logits = await (await whole.step({ x, targets })).logits()
      let state: GateState = Object.fromEntries(
        gateStates(gate.config).map(({ name, width }) => [name, full([2, width], 0)]),
      )
      for (const [from, to] of [
        [0, 5],
        [5, 9],
      ] as const) {
        const part = await windows.step({
          x: tokens(from, to, x),
          targets: ints(
            [0, 1].flatMap((b) => [...targets.data.slice(b * 9 + from, b * 9 + to)]),
            [2, to - from],
          ),
          state,
        })
        state = await part.state()
        const found = await part.logits()
        const expected = tokens(from, to, logits)
        found.data.forEach((v, i) => expect(v).toBeCloseTo(expected.data[i] as number, 5))
      }
      const stream = await gate.stream(backend, gate.init({ seed: 1 }), { batch: 2 })
      for (let t = 0; t < 9; t++) await stream.step({ ...tokens(t, t + 1, x), shape: [2, 4] })
      for (const [key, t] of Object.entries(await stream.snapshot()))
        t.data.forEach((v, i) => expect(state[key]?.data[i]).toBeCloseTo(v, 5))
      stream.dispose()
      await Promise.all([whole.dispose(), windows.dispose()])
    },
  )

  it('refuses a state that is not the gate’s, and has none to give where none was put in', async () => {
    const gate = createGate(preset('paper-a/beta', { dim: 4, experts: 3 }))
    const trainer = await gate.trainer(backend, gate.init({ seed: 1 }), { optimizer: sgd({ lr: 0.1 }) })
    const batch = { x: wave32([2, 3, 4]), targets: ints([0, 1, 2, 0, 1, 2], [2, 3]) }
    for (const state of [
      {},
      { memory: full([3, 4], 0) },
      { memory: full([2, 4], 0), belief: full([2, 4], 0) },
    ])
      expect(await codeOf(() => trainer.step({ ...batch, state }))).toBe('FEP_BAD_FEED')
    const step = await trainer.step(batch)
    expect(await codeOf(() => step.state())).toBe('FEP_BAD_ARGUMENT')
    await trainer.dispose()
  })
})

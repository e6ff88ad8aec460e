/** Trainings that stop and go on. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adam,
  clipGlobalNorm,
  createGate,
  type OptimizationOptions,
  type Params,
  type PrecisionState,
  precisionTracker,
  preset,
  random,
  referenceBackend,
  sgd,
  type TrainerState,
  tensor,
} from '../src/index.js'
import { createSparseGate } from '../src/policies/index.js'
import {
  decodeCheckpoint,
  encodeCheckpoint,
  openSafetensors,
  writeSafetensors,
} from '../src/safetensors/index.js'

const gate = createGate(preset('paper-a/full', { dim: 4, experts: 3 }))
const initial = gate.init({ seed: 1 })
const tracker = precisionTracker({ experts: 3 })
const options: OptimizationOptions = { optimizer: adam({ lr: 0.01 }), schedule: (n) => 0.01 / (1 + n) }

/** A training with everything that a run keeps: its data, a precision tracker, a schedule, micro-batches. */
async function train(
  from: Uint8Array | undefined,
  halves: number,
  withOptions = options,
): Promise<{ bytes: Uint8Array; params: Params }> {
  const backend = await referenceBackend()
  const trainer = await gate.trainer(backend, initial, withOptions)
  const data = random(5, 'data')
  let precision: PrecisionState = tracker.init()
  if (from) {
    const { trainer: state, extra } = decodeCheckpoint(from)
    const { position, variance } = extra as { position: number; variance: number[] }
    await trainer.restore(state)
    data.position = position
    precision = { variance }
  }
  for (let half = 0; half < halves; half++) {
    const x = tensor(new Float32Array(2 * 5 * 4), [2, 5, 4])
    const targets = tensor(new Int32Array(2 * 5), [2, 5])
    data.fillNormal(x.data as Float32Array)
    data.fillInt(targets.data as Int32Array, 3)
    await trainer.accumulate({ x, targets, precision })
    precision = tracker.update(precision, [data.uniform(), data.uniform(), data.uniform()])
    if (data.position % 2 === 0) await trainer.apply()
  }
  const extra = { position: data.position, variance: precision.variance }
  const bytes = encodeCheckpoint({ trainer: await trainer.checkpoint(), extra })
  const params = await trainer.params()
  await trainer.dispose()
  return { bytes, params }
}

describe('a training that goes on', () => {
  it.each([0, 1, 2, 3, 5])(
    'after %i micro-batches gives the same bytes as one that never stopped',
    async (n) => {
      const first = await train(undefined, n)
      expect(await train(first.bytes, 6 - n)).toEqual(await train(undefined, 6))
    },
  )

  it.each([
    ['sgd', { optimizer: sgd({ lr: 0.1 }) }],
    ['momentum', { optimizer: sgd({ lr: 0.1, momentum: 0.9 }) }],
    ['a limited norm', { optimizer: clipGlobalNorm(adam({ lr: 0.1 }), { maxNorm: 0.1 }) }],
  ])('so with %s', async (_, withOptions) => {
    const first = await train(undefined, 3, withOptions)
    expect(await train(first.bytes, 2, withOptions)).toEqual(await train(undefined, 5, withOptions))
  })

  it('with the state of a policy: cutoffs, and what was counted since the last update', async () => {
    const sparse = createSparseGate({
      dim: 4,
      experts: 4,
      select: { kind: 'threshold', granularity: 2, expansion: 2, warmUp: 1 },
    })
    const start = sparse.init({ seed: 1 })
    const run = async (from: Uint8Array | undefined, first: number, until: number) => {
      const trainer = await sparse.trainer(await referenceBackend(), start, sparse.initialState(), options)
      if (from) await trainer.restore(decodeCheckpoint(from).trainer)
      for (let half = first; half < until; half++) {
        const x = tensor(new Float32Array(2 * 6 * 4), [2, 6, 4])
        random(half, 'data').fillNormal(x.data as Float32Array)
        await trainer.accumulate({ x, targets: tensor(new Int32Array(2 * 6), [2, 6]) })
        if (half % 2 === 1) await trainer.apply()
      }
      const bytes = encodeCheckpoint({ trainer: await trainer.checkpoint() })
      const state = await trainer.state()
      await trainer.dispose()
      return { bytes, state }
    }
    const whole = await run(undefined, 0, 8)
    for (const stop of [2, 3, 5]) {
      const { bytes } = await run(undefined, 0, stop)
      expect(await run(bytes, stop, 8)).toEqual(whole)
    }
    const dense = await gate.trainer(await referenceBackend(), initial, options)
    const carried = decodeCheckpoint(whole.bytes).trainer.carried as object
    await expect(dense.restore({ ...(await dense.checkpoint()), carried } as never)).rejects.toMatchObject({
      code: 'FEP_BAD_PARAMS',
    })
    const trainer = await sparse.trainer(await referenceBackend(), start, sparse.initialState(), options)
    const { carried: _, ...without } = await trainer.checkpoint()
    await expect(trainer.restore(without)).rejects.toMatchObject({ code: 'FEP_BAD_PARAMS' })
  })

  it('in double precision, without a file', async () => {
    const backend = await referenceBackend({ precision: 'float64' })
    const batch = {
      x: tensor([
        [
          [1, 2, 3, 4],
          [4, 3, 2, 1],
        ],
      ]),
      targets: tensor([[0, 2]], [1, 2], 'int32'),
    }
    const open = () => gate.trainer(backend, initial, options)
    const [whole, first, second] = [await open(), await open(), await open()]
    for (let i = 0; i < 4; i++) await whole.step(batch)
    for (let i = 0; i < 2; i++) await first.step(batch)
    await second.restore(await first.checkpoint())
    for (let i = 0; i < 2; i++) await second.step(batch)
    expect(await second.params()).toEqual(await whole.params())
  })

  it('does not change a checkpoint that was taken', async () => {
    const trainer = await gate.trainer(await referenceBackend(), initial, options)
    const batch = {
      x: tensor([
        [
          [1, 2, 3, 4],
          [4, 3, 2, 1],
        ],
      ]),
      targets: tensor([[0, 2]], [1, 2], 'int32'),
    }
    const state = await trainer.checkpoint()
    const before = encodeCheckpoint({ trainer: state })
    await trainer.restore(state)
    await trainer.step(batch)
    await trainer.step(batch)
    expect(encodeCheckpoint({ trainer: state })).toEqual(before)
  })

  it('counts what is done, not what waits', async () => {
    const trainer = await gate.trainer(await referenceBackend(), initial, options)
    const batch = {
      x: tensor([
        [
          [1, 2, 3, 4],
          [4, 3, 2, 1],
        ],
      ]),
      targets: tensor([[0, 2]], [1, 2], 'int32'),
    }
    const [, state] = await Promise.all([trainer.step(batch), trainer.checkpoint(), trainer.step(batch)])
    expect(state.updates).toBe(1)
    expect((await trainer.checkpoint()).updates).toBe(2)
  })
})

describe('a state that is refused', () => {
  const with_ = (change: object) => (state: TrainerState) => ({ ...state, ...change }) as TrainerState
  it.each<[string, (state: TrainerState) => TrainerState]>([
    ['nothing', () => null as never],
    ['no parameters', with_({ params: {} })],
    ['parameters of another gate', with_({ params: { ...initial, 'W.weight': tensor([[1]]) } })],
    ['another optimizer', with_({ optimizer: 'sgd' })],
    ['no optimizer state', with_({ state: {} })],
    ['optimizer state of another size', (s) => ({ ...s, state: { ...s.state, m: tensor([1]) } })],
    ['optimizer state that is not known', (s) => ({ ...s, state: { ...s.state, w: tensor([1]) } })],
    ['a negative number of updates', with_({ updates: -1 })],
    ['half an update', with_({ updates: 0.5 })],
    ['pending gradients that are not there', with_({ pending: 2 })],
    ['gradients that are not pending', (s) => ({ ...s, gradients: s.state.m as never })],
    ['gradients of another size', with_({ pending: 1, gradients: tensor([1]) })],
  ])('%s', async (_, change) => {
    const trainer = await gate.trainer(await referenceBackend(), initial, options)
    const state = await trainer.checkpoint()
    await expect(trainer.restore(change(state))).rejects.toMatchObject({ code: 'FEP_BAD_PARAMS' })
    expect(await trainer.params()).toEqual(initial)
    await trainer.restore(state)
  })

  it('after the end', async () => {
    const trainer = await gate.trainer(await referenceBackend(), initial, options)
    const state = await trainer.checkpoint()
    await trainer.dispose()
    await expect(trainer.checkpoint()).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
    await expect(trainer.restore(state)).rejects.toMatchObject({ code: 'FEP_DISPOSED' })
  })
})

describe('the file of a checkpoint', () => {
  const bad = expect.objectContaining({ code: 'FEP_BAD_FILE' })

  it('is refused where any byte differs', async () => {
    const { bytes } = await train(undefined, 3)
    const state = decodeCheckpoint(bytes)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = bytes.slice()
        changed[at] = (changed[at] as number) ^ change
        try {
          // Where it is still read, it holds the same: a space of the padding, an escape for a letter.
          expect(decodeCheckpoint(changed)).toEqual(state)
        } catch (error) {
          expect(['FEP_BAD_FILE', 'FEP_UNSUPPORTED']).toContain((error as { code?: string }).code)
        }
      }),
      { numRuns: 2000, seed: 11 },
    )
  })

  it('is refused where it is cut off, or another kind of file', async () => {
    const { bytes } = await train(undefined, 1)
    for (let length = 0; length < bytes.length; length += 7)
      expect(() => decodeCheckpoint(bytes.subarray(0, length))).toThrow(bad)
    expect(() => decodeCheckpoint(writeSafetensors(initial))).toThrow(bad)
    const metadata = { training: '{}', extra: '{}', crc32: '00000000' }
    expect(() => decodeCheckpoint(writeSafetensors(initial, { metadata }))).toThrow(bad)
  })

  it('keeps JSON to the bit, and nothing that is no JSON', async () => {
    const trainer = await gate.trainer(await referenceBackend(), initial, options)
    const state = await trainer.checkpoint()
    const extra = { pi: [0.1, 5e-324, 2 ** 53 - 1, 1 / 3], text: 'ü', none: null, yes: true }
    expect(decodeCheckpoint(encodeCheckpoint({ trainer: state, extra })).extra).toEqual(extra)
    expect(decodeCheckpoint(encodeCheckpoint({ trainer: state })).extra).toBe(null)
    for (const wrong of [Number.NaN, { a: [Number.POSITIVE_INFINITY] }, () => 1])
      expect(() => encodeCheckpoint({ trainer: state, extra: wrong as never })).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
      )
  })

  it('gives its parameters to other programs', async () => {
    const { bytes, params } = await train(undefined, 2)
    const file = await openSafetensors(bytes)
    for (const [name, t] of Object.entries(params)) expect(await file.read(`params.${name}`)).toEqual(t)
  })
})

/** The ablation's conditions trained on the device equal the float64 reference, and nothing is read back on the way. */
import {
  adam,
  type Backend,
  createGate,
  missRates,
  type Params,
  precisionTracker,
  preset,
  referenceBackend,
} from '@fep-moe/core'
import { type AblationCondition, ablationConditions, openDomainSwitch } from '@fep-moe/experiments'
import { WebgpuTensor, webgpuBackend } from '@fep-moe/webgpu'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { reasonAgainst, standIn } from './adapter.js'

const STEPS = 20
const BATCH = 64
const SEED = 42
const size = { dim: 16, experts: 4 }
/** Absolute, in every parameter. */
const TOLERANCE = 1e-4

async function train(backend: Backend, condition: AblationCondition): Promise<Params> {
  const stream = openDomainSwitch({ batch: BATCH }, SEED)
  const { steps } = stream.task
  const gate = createGate(preset(ablationConditions[condition], size))
  const trainer = await gate.trainer(backend, gate.init({ seed: SEED }), {
    optimizer: adam({ lr: 3e-3 }),
    loss: { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' },
    layout: 'feature-major',
  })
  const found = gate.config.precision
  const tracker =
    found &&
    precisionTracker({
      experts: size.experts,
      momentum: found.momentum,
      epsilon: found.epsilon,
      initialVariance: found.initialVariance,
    })
  let precision = tracker?.init()
  for (let step = 0; step < STEPS; step++) {
    const { x, targets } = stream.next()
    await trainer.step({ x, targets, ...(precision ? { precision } : {}) })
    for (let t = 0; tracker && precision && t + 1 < steps; t++)
      precision = tracker.update(
        precision,
        missRates(targets.data.subarray(t * BATCH, (t + 1) * BATCH), size.experts),
      )
  }
  const params = await trainer.params()
  await trainer.dispose()
  return params
}

if (reasonAgainst) standIn(reasonAgainst)
else
  describe('twenty training steps', () => {
    let backend: Backend
    let exact: Backend
    beforeAll(async () => {
      backend = await webgpuBackend({ smallPrograms: 'native' })
      exact = await referenceBackend({ precision: 'float64' })
    })
    afterAll(() => backend.dispose())
    afterEach(() => {
      vi.restoreAllMocks()
    })

    const conditions = Object.keys(ablationConditions) as AblationCondition[]
    it.each(conditions)('of %s', { timeout: 300_000 }, async (condition) => {
      const read = vi.spyOn(WebgpuTensor.prototype, 'read')
      const params = await train(backend, condition)
      // The packed parameters, once, when they are asked for.
      expect(read).toHaveBeenCalledTimes(1)
      for (const [name, { data }] of Object.entries(await train(exact, condition))) {
        const found = params[name]?.data ?? []
        const worst = Math.max(...Array.from(data, (value, i) => Math.abs(value - (found[i] ?? Number.NaN))))
        expect(worst, name).toBeLessThanOrEqual(TOLERANCE)
      }
    })
  })

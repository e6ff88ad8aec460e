/** Training where every softmax is saturated: loss and gradients stay finite. */
import { createGate, type GateConfig, type Params, sgd, type Tensor, toHost } from '@fep-moe/core'
import type { ProcedureCase } from '../../frame/case.js'
import { noise } from '../../frame/data.js'
import type { Probe } from '../../frame/probe.js'
import { allFinite, BATCH, CONFIGS, DIM, EXPERTS, extremeOptions, gateCase, STEPS } from './scene.js'

/** Logits of ±1e6 and more saturate every softmax. */
const scaled = (params: Params, by: number): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, t]) => [
      name,
      name === 'beta_raw' ? t : { ...t, data: Float32Array.from(t.data, (v) => v * by) },
    ]),
  )

async function checkTraining(probe: Probe, config: GateConfig, on: 'logits' | 'weights'): Promise<void> {
  const gate = createGate(config)
  const params = scaled(gate.init({ seed: 652 }), 100)
  const x = noise(653, [BATCH, STEPS, DIM], -1e4, 1e4)
  const targets: Tensor = {
    dtype: 'int32',
    shape: [BATCH, STEPS],
    data: Int32Array.from({ length: BATCH * STEPS }, (_, k) => k % EXPERTS),
  }
  const trainer = await gate.trainer(probe.backend, params, {
    optimizer: sgd({ lr: 1e-12 }),
    loss: { kind: 'cross-entropy', on },
  })
  try {
    const step = await trainer.step({ x, targets, ...extremeOptions(config) })
    probe.check(Number.isFinite(await step.loss()), 'the loss must be finite')
    for (const [name, t] of Object.entries(await trainer.params()))
      probe.check(allFinite(await toHost(t)), `${name} must be finite after a step`)
  } finally {
    await trainer.dispose()
  }
}

export const saturated = (): ProcedureCase[] =>
  (['logits', 'weights'] as const).flatMap((on) =>
    Object.entries(CONFIGS).map(([name, config]) =>
      gateCase(
        `saturated-training/${on}/${name}`,
        652,
        'loss and gradients where every softmax is saturated',
        (probe) => checkTraining(probe, config, on),
      ),
    ),
  )

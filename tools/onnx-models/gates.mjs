// Gates of every preset: whole sequences, one step with state, and a training step.
import { adam, createGate, preset, presets, referenceBackend } from '../../packages/core/dist/index.js'

export async function models() {
  const backend = await referenceBackend()
  const perPreset = Object.keys(presets).map(async (name) => {
    const gate = createGate({ ...preset(name, { dim: 8, experts: 4 }), select: { kind: 'top-k', k: 2 } })
    const dense = createGate(preset(name, { dim: 8, experts: 4 }))
    const trainer = await dense.trainer(backend, dense.init({ seed: 1 }), { optimizer: adam({ lr: 1e-3 }) })
    return [
      { id: `gate/${name}/sequence`, graph: gate.graph({ steps: 12 }) },
      { id: `gate/${name}/resets`, graph: gate.graph({ steps: 100, reset: true }) },
      ...(gate.causal ? [{ id: `gate/${name}/step`, graph: gate.graph({ steps: 1, state: true }) }] : []),
      { id: `gate/${name}/training`, graph: trainer.stepGraph(12, { mask: true }) },
    ]
  })
  return (await Promise.all(perPreset)).flat()
}

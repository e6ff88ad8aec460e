/** Code that is loaded on demand: graphs by hand wait for it, everything else does so by itself. */
import { expect, it } from 'vitest'
import { createGate, createLanguageModel, loadMechanisms, verifyGraph } from '../src/index.js'
import { codeOf } from './helpers.js'

// One test: what one has loaded is there for all that follow.
it('a graph of a belief gate is refused before the gate is ready, its parameters are not', async () => {
  const gate = createGate({ dim: 3, experts: 2, belief: { phases: 2 } })
  expect(gate.init({ seed: 1 }).hazard?.shape).toEqual([2, 2])
  expect(await codeOf(() => gate.graph({ steps: 2 }))).toBe('FEP_UNSUPPORTED')
  const plain = createGate({ dim: 3, experts: 2 })
  await plain.ready()
  expect(await codeOf(() => gate.graph({ steps: 2 }))).toBe('FEP_UNSUPPORTED')
  await gate.ready()
  verifyGraph(gate.graph({ steps: 2, state: true, reset: true, details: true }))
  const model = createLanguageModel({
    vocabulary: 5,
    dim: 3,
    experts: 2,
    router: { belief: { horizon: 0 } },
  })
  await loadMechanisms(model.gate)
  verifyGraph(model.graph({ steps: 3 }))
  expect(
    await codeOf(() => createLanguageModel({ vocabulary: 5, dim: 3, experts: 2, router: { belief: {} } })),
  ).toBe('FEP_BAD_CONFIG')
})

import { conformance, conformanceCases } from '@fep-moe/conformance'
import { createGate, type FepError, tensor } from '@fep-moe/core'
import { onnxBackend } from '@fep-moe/onnx'
import { describe, expect, it } from 'vitest'

const gate = createGate({ dim: 8, experts: 3, memory: { kind: 'leaky' } })
const graph = gate.graph({ steps: 1, state: true })

describe('small programs', () => {
  it('run as JavaScript, large batches of the same program on ONNX Runtime', async () => {
    const backend = await onnxBackend()
    const params = gate.init({ seed: 1 })
    const program = await backend.compile(graph)
    expect(program.artifact?.format).toBe('onnx')
    const feeds = (batch: number) => ({
      ...params,
      x: tensor(new Float32Array(8 * batch).fill(0.5), [batch, 1, 8]),
      'state/memory': tensor(new Float32Array(8 * batch), [batch, 8]),
    })
    const one = await program.run(feeds(1))
    const many = await program.run(feeds(5000))
    const [a, b] = [await one.logits?.read(), await many.logits?.read()]
    for (let i = 0; i < 3; i++) expect(b?.[i]).toBeCloseTo(a?.[i] as number, 5)
    await backend.dispose()
  })

  it('run on ONNX Runtime where that is asked for', async () => {
    const [native, tiered] = [await onnxBackend({ smallPrograms: 'native' }), await onnxBackend()]
    const fixed = createGate({ dim: 2, experts: 2 }).graph({ steps: 1 })
    const bound = { ...fixed, name: 'fixed' }
    expect((await native.compile(bound)).sync).toBe(false)
    expect(native.capabilities.sync).toBe(false)
    const stream = await gate.stream(tiered, gate.init({ seed: 1 }))
    expect((await stream.step(tensor(new Float32Array(8), [1, 8]))).weights.shape).toEqual([1, 3])
    const refused = await onnxBackend({ smallPrograms: 'wasm' as never }).catch(
      (error: FepError) => error.code,
    )
    expect(refused).toBe('FEP_BAD_ARGUMENT')
    await native.dispose()
    await tiered.dispose()
  })
})

// Lanes of their own hold each executor to all gates. Here it is where one meets the other: programs and batch sizes of
// all kinds, and of the gates, which differ in how they are built, every seventh.
const [gates, others] = [['gates'], ['properties', 'lifecycle']].map((groups) =>
  conformanceCases().filter(({ group }) => groups.includes(group)),
)

describe('both executors behind one backend', () => {
  conformance({
    runner: { describe, it },
    backend: () => onnxBackend(),
    cases: [...(gates ?? []).filter((_, i) => i % 7 === 0), ...(others ?? [])],
  })
})

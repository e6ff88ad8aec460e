/** Weights between PyTorch and this library; the files are made and checked by tools/weights. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createGate, preset, random, referenceBackend, type Tensor, tensor } from '../src/index.js'
import { createSparseGate } from '../src/policies/index.js'
import { openSafetensors, readParams, readSafetensors, writeSafetensors } from '../src/safetensors/index.js'

const bytesOf = (name: string) =>
  readFileSync(new URL(`fixtures/weights/${name}.safetensors`, import.meta.url))
const tensorsOf = (name: string) => readSafetensors(bytesOf(name)).tensors as Readonly<Record<string, Tensor>>

const gap = (got: Tensor, want: Tensor | undefined): number => {
  expect(got.shape).toEqual(want?.shape)
  return Math.max(...Array.from(got.data, (x, i) => Math.abs(x - (want?.data[i] as number))))
}

describe('what PyTorch wrote', () => {
  it('is a gate with the same numbers', async () => {
    const gate = createGate(preset('paper-a/beta+ant', { dim: 6, experts: 3 }))
    const params = await readParams(gate.params, await openSafetensors(bytesOf('gate')))
    const { x, logits, weights } = tensorsOf('gate-expected')
    const found = await gate.route(await referenceBackend(), params, x as Tensor)
    expect(gap(found.logits, logits)).toBeLessThan(1e-5)
    expect(gap(found.weights, weights)).toBeLessThan(1e-5)
  })

  it('is the router of one layer in the shard of a large model', async () => {
    const gate = createGate({ dim: 6, experts: 8, bias: false, select: { kind: 'top-k', k: 2 } })
    const file = await openSafetensors(bytesOf('router'))
    const params = await readParams(gate.params, file, {
      map: { 'W.weight': 'model.layers.3.mlp.gate.weight' },
    })
    const { x, logits, indices, gates } = tensorsOf('router-expected')
    const found = await gate.route(await referenceBackend(), params, x as Tensor)
    expect(gap(found.logits, logits)).toBeLessThan(1e-5)
    expect(found.indices.data).toEqual(indices?.data)
    const chosen = Array.from(
      found.indices.data,
      (e, i) => found.weights.data[Math.floor(i / 2) * 8 + e] as number,
    )
    expect(gap(tensor(Float32Array.from(chosen), gates?.shape), gates)).toBeLessThan(1e-5)
  })

  it('is a router with sigmoid scores and a correction bias', async () => {
    const gate = createSparseGate({
      dim: 6,
      experts: 8,
      bias: false,
      select: {
        ...{ kind: 'token-choice', k: 3, weights: 'sigmoid', normalize: true, scale: 2.5 },
        ...{ biasRate: 0.001, biasOn: 'scores' },
      },
    })
    const file = await openSafetensors(bytesOf('sigmoid-router'))
    const router = 'model.layers.3.mlp.gate'
    const params = await readParams(gate.params, file, { map: { W: router } })
    const bias = await file.read(`${router}.e_score_correction_bias`)
    const { x, indices, gates } = tensorsOf('sigmoid-router-expected')
    const backend = await referenceBackend()
    const state = { ...gate.initialState(), bias }
    const found = await gate.route(backend, params, state, x as Tensor)
    expect(found.indices.data).toEqual(indices?.data)
    const chosen = Array.from(
      found.indices.data,
      (e, i) => found.weights.data[Math.floor(i / 3) * 8 + e] as number,
    )
    expect(gap(tensor(Float32Array.from(chosen), gates?.shape), gates)).toBeLessThan(1e-5)
    // Without the bias others are selected: the fixture tells.
    const without = await gate.route(backend, params, gate.initialState(), x as Tensor)
    expect(without.indices.data).not.toEqual(indices?.data)
  })

  it('has its values in every type that is read', async () => {
    const file = await openSafetensors(bytesOf('dtypes'))
    for (const name of ['f16', 'bf16', 'f64', 'i64', 'bool']) {
      const [got, want] = [await file.read(name), await file.read(`${name}.expected`)]
      expect(Array.from(got.data)).toEqual(Array.from(want.data))
    }
    expect(await file.read('scalar')).toEqual({ dtype: 'float32', shape: [], data: Float32Array.of(2.5) })
    expect(await file.read('empty')).toEqual({ dtype: 'float32', shape: [0, 3], data: new Float32Array(0) })
    await expect(file.read('u8')).rejects.toMatchObject({ code: 'FEP_UNSUPPORTED' })
  })
})

describe('what PyTorch has read', () => {
  const gate = createGate(preset('paper-a/beta+ant', { dim: 5, experts: 4 }))

  it('is what is written', async () => {
    const params = gate.init({ seed: 7 })
    expect(writeSafetensors(params)).toEqual(new Uint8Array(bytesOf('ours')))
    const x = tensor(new Float32Array(3 * 8 * 5), [3, 8, 5])
    random(7, 'tokens').fillNormal(x.data as Float32Array)
    expect(tensorsOf('ours-expected').x).toEqual(x)
    const { logits, indices } = await gate.route(await referenceBackend(), params, x)
    expect(gap(logits, tensorsOf('ours-expected').logits)).toBeLessThan(1e-5)
    expect(indices).toEqual(tensorsOf('ours-expected').indices)
  })
})

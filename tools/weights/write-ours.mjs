// What fep-moe writes, for PyTorch to read: weights of a gate, tokens, and what the gate makes of them.
//   node tools/weights/write-ours.mjs
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createGate, preset, random, referenceBackend, tensor } from '../../packages/core/dist/index.js'
import { writeSafetensors } from '../../packages/core/dist/safetensors/index.js'

const folder = new URL('../../packages/core/test/fixtures/weights/', import.meta.url)
const gate = createGate(preset('paper-a/beta+ant', { dim: 5, experts: 4 }))
const params = gate.init({ seed: 7 })
const x = tensor(new Float32Array(3 * 8 * 5), [3, 8, 5])
random(7, 'tokens').fillNormal(x.data)
const { logits, indices } = await gate.route(await referenceBackend(), params, x)
const reset = tensor(new Uint8Array(3 * 8), [3, 8])
reset.data[0] = 1
for (const [name, tensors] of [
  ['ours', params],
  ['ours-expected', { x, logits, indices, reset }],
])
  writeFileSync(fileURLToPath(new URL(`${name}.safetensors`, folder)), writeSafetensors(tensors))

// Which backends run here, and which one a gate should run on: small work on generated JavaScript, batches on a native
// runtime. Every one of them gives the same numbers; what differs is what they need and where they are fast.
import { createGate, random, referenceBackend, tensor } from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'
import { onnxBackend } from '@fep-moe/onnx'
import { tfjsBackend } from '@fep-moe/tfjs'
import { webgpuBackend } from '@fep-moe/webgpu'

const candidates = {
  reference: referenceBackend,
  js: jsBackend,
  // Without 'native', programs that are too small to be worth a call into a runtime run as JavaScript on all of these.
  onnx: () => onnxBackend({ smallPrograms: 'native' }),
  tfjs: () => tfjsBackend({ smallPrograms: 'native' }),
  webgpu: () => webgpuBackend({ smallPrograms: 'native' }),
}
const gate = createGate({
  dim: 16,
  experts: 4,
  memory: { kind: 'leaky' },
  anticipation: { kind: 'additive' },
})
const params = gate.init({ seed: 42 })
const x = tensor(new Float32Array(8 * 12 * 16), [8, 12, 16])
random(7, 'tokens').fillNormal(x.data)

let expected
let largest = 0
for (const [name, open] of Object.entries(candidates)) {
  // A runtime that is not installed, or does not load here, is an error with a code and the line that installs it.
  const backend = await open().catch((error) => {
    if (error.code !== 'FEP_BACKEND_MISSING') throw error
    console.log(`${name}: ${error.message}`)
  })
  if (!backend) continue
  const { weights } = await gate.route(backend, params, x)
  expected ??= weights.data
  const difference = weights.data.reduce((most, w, i) => Math.max(most, Math.abs(w - expected[i])), 0)
  largest = Math.max(largest, difference)
  const { device, sync } = backend.capabilities
  console.log(
    `${name}: on ${device}, ${sync ? 'synchronous' : 'asynchronous'}, differs from the reference by ${difference.toExponential(0)}`,
  )
  await backend.dispose()
}
process.exitCode = largest < 1e-5 ? 0 : 1

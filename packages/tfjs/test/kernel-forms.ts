/**
 * The forms that run on graphics cards, on tfjs's cpu backend: no host memory, so every operator is made of kernels. What
 * only a graphics card does wrong is not seen here.
 */
import { type Backend, defineBackend } from '@fep-moe/core'
import { capabilitiesOf } from '../src/capabilities.js'
import { GpuDevice } from '../src/device/direct-device.js'
import { createProgram } from '../src/program/program.js'
import { openNamed } from '../src/runtime/open.js'

export async function kernelForms(): Promise<Backend> {
  const { tf } = await openNamed('cpu')
  const device = new GpuDevice(tf, 'cpu' as 'webgl', tf.engine().findBackend('cpu'))
  const { accuracy, ...capabilities } = capabilitiesOf('webgl')
  return defineBackend({
    name: 'tfjs-kernel-forms',
    capabilities: { ...capabilities, accuracy: { Erf: accuracy.Erf! } },
    compile: (graph) => createProgram(graph, device),
    dispose: () => undefined,
  })
}

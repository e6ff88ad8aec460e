/** What can run a gate in a page. Each executor is a chunk of its own, fetched when it is chosen. */
import type { Backend } from '@fep-moe/core'

/** An executor that a page offers. */
export interface Executor {
  readonly title: string
  /** Makes a backend that is this executor alone: small programs run on it, too. @throws FEP_BACKEND_MISSING */
  open(): Promise<Backend>
}

const tfjs = (backend: 'wasm' | 'cpu' | 'webgl' | 'webgpu') => async (): Promise<Backend> => {
  const { tfjsBackend } = await import('@fep-moe/tfjs')
  const paths = backend === 'wasm' ? (await import('./tfjs-wasm-paths.js')).wasmPaths : undefined
  return tfjsBackend({ backend, smallPrograms: 'native', ...(paths && { wasmPaths: paths }) })
}

/** By the name that a lane of the conformance matrix and the address of a page use. */
export const executors = {
  js: {
    title: 'JavaScript',
    open: async () => (await import('@fep-moe/js')).jsBackend(),
  },
  'onnx-web': {
    title: 'ONNX Runtime, WebAssembly',
    open: async () => {
      const [{ onnxBackend }, { default: wasm }] = await Promise.all([
        import('@fep-moe/onnx'),
        import('onnxruntime-web/ort-wasm-simd-threaded.wasm?url'),
      ])
      return onnxBackend({ wasmPaths: { wasm }, smallPrograms: 'native' })
    },
  },
  'tfjs-wasm': { title: 'TensorFlow.js, WebAssembly', open: tfjs('wasm') },
  'tfjs-cpu': { title: 'TensorFlow.js, JavaScript', open: tfjs('cpu') },
  'tfjs-webgl': { title: 'TensorFlow.js, WebGL', open: tfjs('webgl') },
  'tfjs-webgpu': { title: 'TensorFlow.js, WebGPU', open: tfjs('webgpu') },
  webgpu: {
    title: 'WebGPU',
    open: async () => (await import('@fep-moe/webgpu')).webgpuBackend({ smallPrograms: 'native' }),
  },
} as const satisfies Readonly<Record<string, Executor>>

/** Name of an executor. */
export type ExecutorName = keyof typeof executors

/** All names, in the order in which a page lists them. */
export const executorNames = Object.keys(executors) as ExecutorName[]

/** The name, where a text is one. */
export const asExecutorName = (text: string | null | undefined): ExecutorName | undefined =>
  executorNames.find((name) => name === text)

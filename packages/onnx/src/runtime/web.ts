/** The WebAssembly build of ONNX Runtime: settings that belong to the whole page, and whether it starts at all. */
import { FepError, GraphBuilder, ops, show } from '@fep-moe/core'
import { buildModel } from '../to-onnx.js'
import type { OnnxRuntime, OnnxWasmPaths } from './runtime.js'

/** Settings of the build, as the user gave them. */
export interface WebSettings {
  readonly threads: number
  readonly wasmPaths?: OnnxWasmPaths
}

/**
 * Settings that ONNX Runtime reads once, when the first session of a page is made. More than one thread needs shared
 * memory, which a page has only where it is cross-origin isolated.
 * @throws FEP_BAD_ARGUMENT for threads that cannot be had
 */
export function configureWeb(runtime: OnnxRuntime, { threads, wasmPaths }: WebSettings): void {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated
  if (threads > 1 && isolated === false)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `onnxBackend.threads is ${show(threads)}; accepted here: 1, because this page is not cross-origin isolated`,
    )
  const wasm = runtime.env?.wasm
  if (!wasm) return
  wasm.numThreads = threads
  if (wasmPaths !== undefined) wasm.wasmPaths = wasmPaths
}

/**
 * Starts the build by making one session: the WebAssembly file is fetched then, and not before.
 * @throws FEP_BACKEND_MISSING where it cannot be fetched or does not run here
 */
export async function startWeb(runtime: OnnxRuntime): Promise<void> {
  const builder = new GraphBuilder('start')
  builder.output('y', ops.neg(builder.input('x', 'float32', [1])))
  const { bytes } = buildModel(builder.build(), { threads: 1 })
  try {
    const session = await runtime.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      logSeverityLevel: 4,
    })
    await session.release()
  } catch (cause) {
    throw new FepError(
      'FEP_BACKEND_MISSING',
      `onnxruntime-web does not start: ${cause instanceof Error ? cause.message.split('\n')[0] : String(cause)}. Where its .wasm file is elsewhere, say so with onnxBackend({ wasmPaths }); else reinstall it: npm install onnxruntime-web`,
      { cause },
    )
  }
}

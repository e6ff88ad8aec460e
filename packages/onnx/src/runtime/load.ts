/** The one place that knows which ONNX Runtime is used. Loaded on demand: importing this package needs no runtime. */
import { FepError } from '@fep-moe/core'
import type { InferenceSession, Tensor } from 'onnxruntime-common'

/** The part of an ONNX Runtime for JavaScript that this package uses. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>
  }
  readonly Tensor: new (
    type: 'float32' | 'int32' | 'bool',
    data: Tensor.DataType,
    dims: readonly number[],
  ) => Tensor
}

const INSTALL = 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node'

/**
 * Loads onnxruntime-node.
 * @throws FEP_BACKEND_MISSING where it is not installed, or has no binary for this platform
 */
export async function loadRuntime(
  importRuntime: () => Promise<unknown> = () => import('onnxruntime-node'),
): Promise<OnnxRuntime> {
  try {
    const module = (await importRuntime()) as OnnxRuntime & { default?: OnnxRuntime }
    return module.InferenceSession ? module : (module.default as OnnxRuntime)
  } catch (cause) {
    throw new FepError('FEP_BACKEND_MISSING', explain(cause), { cause })
  }
}

function explain(cause: unknown): string {
  const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
  const where = typeof process === 'undefined' ? 'this platform' : `${process.platform}-${process.arch}`
  const missing = /Cannot find (?:package|module) ['"]onnxruntime-node['"]/.test(String(text))
  if (missing)
    return `onnxruntime-node is not installed. Install it with: ${INSTALL} (the variable skips a download of GPU libraries, which are not needed)`
  return `onnxruntime-node does not load on ${where}: ${text}. Where the package has no binary, use another backend; else reinstall it: ${INSTALL}`
}

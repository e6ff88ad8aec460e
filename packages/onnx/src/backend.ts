/** The ONNX Runtime backend. */
import { type Backend, type Capabilities, defineBackend, FepError, show, tieredBackend } from '@fep-moe/core'
import { jsBackend, SMALL_PROGRAM } from '@fep-moe/js'
import { checkInteger } from './check-integer.js'
import { claimedComposites } from './lowerings/table.js'
import { loadRuntime, type OnnxRuntime } from './runtime/load.js'
import { openSession } from './runtime/session.js'
import { buildModel } from './to-onnx.js'

/** Options of {@link onnxBackend}. */
export interface OnnxBackendOptions {
  /** Threads per session; an integer from 1 to 256, default 1: many small runs go faster as many processes. */
  readonly threads?: number
  /** See `ToOnnxOptions.batchHint`; an integer >= 1, default 32. */
  readonly batchHint?: number
  /**
   * What runs programs below `SMALL_PROGRAM` operations, one step of a small gate for instance: `javascript` (default)
   * takes a tenth of the time that handing the call to the runtime takes; `native` sends everything to ONNX Runtime.
   */
  readonly smallPrograms?: 'javascript' | 'native'
}

/** Options of a backend that is ONNX Runtime alone. */
export type RuntimeOptions = Required<Omit<OnnxBackendOptions, 'smallPrograms'>>

const MEASURED = 'onnxruntime-node 1.30 on x64, 200,001 points in -60..20 and -10..10'

/** What this backend can do. */
const CAPABILITIES: Capabilities = {
  dtypes: ['float32', 'int32', 'bool'],
  composites: [...claimedComposites],
  unsupported: [],
  sync: false,
  hostTensors: true,
  symbolicBatch: true,
  device: 'cpu',
  precision: 'float32',
  // The rest is within 4 units in the last place.
  accuracy: {
    Sigmoid: { absolute: 2e-7, source: MEASURED },
    Tanh: { absolute: 3e-7, source: MEASURED },
  },
  nonFinite: {
    policy: 'ieee',
    except: {
      ReduceMax: 'may pass over a NaN',
      LinearScan: 'a product with powers of the decay: 0 · NaN and 0 · ∞ reach earlier steps of the lane',
    },
  },
}

/**
 * Makes a backend that runs graphs on onnxruntime-node, an optional peer that is loaded here; programs too small to be
 * worth a call into it run as generated JavaScript. One program serves every batch size, and tensors that one run returns
 * feed the next without a copy.
 * @throws FEP_BACKEND_MISSING where onnxruntime-node is not installed or has no binary for this platform;
 * FEP_BAD_ARGUMENT for an unknown option or one out of range
 * @example
 * const backend = await onnxBackend({ threads: 1 })
 */
export async function onnxBackend(options: OnnxBackendOptions = {}): Promise<Backend> {
  const { smallPrograms, ...checked } = checkOptions(options)
  const native = backendOn(await loadRuntime(), checked)
  return smallPrograms === 'native'
    ? native
    : tieredBackend({ small: await jsBackend(), large: native, below: SMALL_PROGRAM })
}

/** The backend on a runtime; with a prefix, every session writes its profile there. */
export function backendOn(
  runtime: OnnxRuntime,
  { threads, batchHint }: RuntimeOptions,
  profilePrefix?: string,
): Backend {
  const settings = { threads, ...(profilePrefix === undefined ? {} : { profilePrefix }) }
  return defineBackend({
    name: 'onnx',
    capabilities: CAPABILITIES,
    compile: (graph) => openSession(runtime, buildModel(graph, { batchHint, threads }), graph, settings),
    dispose: () => undefined,
  })
}

/** Backend specifier entry: `{ module: '@fep-moe/onnx', options: { threads } }`. */
export const createBackend = (options?: Readonly<Record<string, unknown>>): Promise<Backend> =>
  onnxBackend(options as OnnxBackendOptions)

/** Fills in defaults. @throws FEP_BAD_ARGUMENT */
export function checkOptions(options: OnnxBackendOptions): Required<OnnxBackendOptions> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new FepError('FEP_BAD_ARGUMENT', `onnxBackend: options are ${show(options)}; expected an object`)
  const { threads = 1, batchHint = 32, smallPrograms = 'javascript', ...unknown } = options
  const [extra] = Object.keys(unknown)
  if (extra !== undefined)
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `onnxBackend: unknown option ${show(extra)}; accepted: threads, batchHint, smallPrograms`,
    )
  checkInteger('onnxBackend.threads', threads, 256)
  checkInteger('onnxBackend.batchHint', batchHint)
  if (smallPrograms !== 'javascript' && smallPrograms !== 'native')
    throw new FepError(
      'FEP_BAD_ARGUMENT',
      `onnxBackend.smallPrograms is ${show(smallPrograms)}; accepted: 'javascript', 'native'`,
    )
  return { threads, batchHint, smallPrograms }
}

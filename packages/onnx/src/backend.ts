/** The ONNX Runtime backend, on whichever build of the runtime. */
import { type Backend, type Capabilities, defineBackend, tieredBackend } from '@fep-moe/core'
import { jsBackend, SMALL_PROGRAM } from '@fep-moe/js'
import { claimedComposites } from './lowerings/table.js'
import { checkOptions, type OnnxBackendOptions } from './options.js'
import { loadRuntime, preferredRuntime, type RuntimeImports } from './runtime/load.js'
import { isWeb, type OnnxRuntime } from './runtime/runtime.js'
import { openSession } from './runtime/session.js'
import { configureWeb, startWeb } from './runtime/web.js'
import { buildModel } from './to-onnx.js'

/** Settings of a backend that is ONNX Runtime alone. */
export interface RuntimeOptions {
  readonly threads: number
  readonly batchHint: number
}

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

/** `onnxBackend` of an entry that imports runtimes in its own way. */
export async function openBackend(options: OnnxBackendOptions, imports: RuntimeImports): Promise<Backend> {
  const { runtime: wanted, wasmPaths, smallPrograms, ...settings } = checkOptions(options)
  const runtime =
    typeof wanted === 'object' ? wanted : await loadRuntime(wanted ?? preferredRuntime(imports), imports)
  if (isWeb(runtime)) {
    configureWeb(runtime, { threads: settings.threads, ...(wasmPaths === undefined ? {} : { wasmPaths }) })
    await startWeb(runtime)
  }
  const native = backendOn(runtime, settings)
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

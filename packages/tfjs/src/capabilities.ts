/** What each tfjs backend can do. */
import type { Capabilities } from '@fep-moe/core'
import type { ClaimedComposite } from './lowerings/lowering.js'
import type { TfjsName } from './runtime/names.js'

const COMPOSITES: Readonly<Record<TfjsName, readonly ClaimedComposite[]>> = {
  node: ['Relu', 'Softmax'],
  wasm: ['Relu'],
  cpu: [],
  webgl: ['Relu', 'Softmax'],
  webgpu: ['Relu', 'Softmax'],
}

type Declared = Capabilities['accuracy']

const EIGEN = 'tfjs-node 4.22 on TensorFlow 2.15, x64, 200,001 points in -87..88, -10..10, -5..5, -30..30'
const WGSL =
  'WGSL, accuracy of built-in functions; GLSL ES 3.00 promises nothing, and its implementations share the hardware'

const GPU: Declared = {
  Div: { ulp: 2.5, source: WGSL },
  Exp: { ulp: 3 + 2 * 88, source: `${WGSL}: 3 + 2|x| ulp` },
  Log: { ulp: 3, absolute: 2 ** -21, source: WGSL },
  Sqrt: { ulp: 3, source: WGSL },
  Tanh: { absolute: 1e-5, source: WGSL },
  Sin: { absolute: 2 ** -11, source: WGSL },
  Cos: { absolute: 2 ** -11, source: WGSL },
  Sigmoid: { absolute: 4e-6, source: `${WGSL}: 1/(1+e^−x) from Exp and Div` },
  Erf: { absolute: 1e-6, source: 'tfjs evaluates Abramowitz & Stegun 7.1.26 (1.5e-7) in single precision' },
}

/** Of kernels; loops round correctly. */
const ACCURACY: Readonly<Record<TfjsName, Declared>> = {
  node: {
    Exp: { ulp: 2, source: EIGEN },
    Log: { ulp: 3, source: EIGEN },
    Tanh: { ulp: 6, source: EIGEN },
    Sigmoid: { ulp: 3, source: EIGEN },
    Erf: { ulp: 6, source: EIGEN },
    Sin: { ulp: 2, source: EIGEN },
    Cos: { ulp: 2, source: EIGEN },
  },
  wasm: { Log: { ulp: 1, source: 'tfjs-backend-wasm 4.22, 200,001 points in 1e-30..1e6' } },
  cpu: {},
  webgl: GPU,
  webgpu: GPU,
}

const WEBGPU_EXCEPT: Capabilities['nonFinite']['except'] = {
  MatMul: 'one in the last element of an operand reaches every result: tiles that overhang multiply it by 0',
}

/** The capabilities of the backend that runs on a tfjs backend. */
export function capabilitiesOf(name: TfjsName): Capabilities {
  const gpu = name === 'webgl' || name === 'webgpu'
  return {
    dtypes: ['float32', 'int32', 'bool'],
    composites: COMPOSITES[name],
    unsupported: [],
    sync: !gpu,
    hostTensors: !gpu,
    symbolicBatch: false,
    device: gpu ? 'gpu' : 'cpu',
    precision: 'float32',
    accuracy: ACCURACY[name],
    nonFinite: { policy: gpu ? 'undefined' : 'ieee', except: name === 'webgpu' ? WEBGPU_EXCEPT : {} },
  }
}

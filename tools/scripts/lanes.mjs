// The lanes of the conformance matrix: executors that every run of the tests on Linux x64 holds to the suite.

/** In the order of the matrix. */
export const lanes = [
  'reference',
  'js',
  'onnx',
  'tfjs-cpu',
  'tfjs-wasm',
  'tfjs-node',
  'webgpu-node',
  'onnx-web',
  'tfjs-browser',
  'webgpu-browser',
]

/** Those that run in Chromium: Node only starts it. */
export const browserLanes = ['onnx-web', 'tfjs-browser', 'webgpu-browser']

/** The lanes that CI names (FEP_MOE_LANES, separated by commas): one of them that did not run is a failure. */
export function namedLanes(text = process.env.FEP_MOE_LANES ?? '') {
  const named = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const unknown = named.find((name) => !lanes.includes(name))
  if (unknown) throw new Error(`FEP_MOE_LANES names '${unknown}'; the lanes are ${lanes.join(', ')}`)
  return named
}

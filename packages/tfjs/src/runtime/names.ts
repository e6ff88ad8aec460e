/** The tfjs backends this package can run on, and everything that differs between them by name. */

/** How this package calls tfjs's backends. */
export const BACKENDS = ['node', 'wasm', 'cpu', 'webgl', 'webgpu'] as const

/** `node` is tfjs's `tensorflow`; the rest are tfjs's own words. */
export type TfjsName = (typeof BACKENDS)[number]

/** What tfjs calls a backend in its registry. */
export const registryName = (name: TfjsName): string => (name === 'node' ? 'tensorflow' : name)

/** The package that registers a backend. */
export const packageOf = (name: TfjsName): string =>
  name === 'node' ? '@tensorflow/tfjs-node' : `@tensorflow/tfjs-backend-${name}`

/** True where this runs in Node, or in what passes for it. */
export const inNode = (): boolean =>
  typeof process !== 'undefined' && typeof process.versions?.node === 'string' && !('document' in globalThis)

/** Backends to try, best first, where the user does not choose. */
export const preferred = (): readonly TfjsName[] =>
  inNode() ? ['node', 'wasm', 'cpu'] : ['webgpu', 'webgl', 'wasm', 'cpu']

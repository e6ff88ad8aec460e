/** Seeded, seekable random streams. */
export { random } from './stream.js'
export type { RandomStream } from './types.js'

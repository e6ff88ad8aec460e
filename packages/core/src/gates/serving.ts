/** What running a gate needs beyond its graph; loaded on demand, in one piece. */

export { mergeProducts } from '../passes/merge-products.js'
export { bindParameters } from './bind-parameters.js'
export { openStream } from './stream.js'

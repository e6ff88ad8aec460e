/** What running a gate needs beyond its graph; loaded on demand, in one piece. */

export { mergeProducts } from '../passes/merge-products.js'
export { composeBelief } from './belief.js'
export { bindParameters } from './bind-parameters.js'
export { tellTime } from './clock.js'
export { openStream } from './stream.js'
export { trackPrecision } from './tracked-precision.js'

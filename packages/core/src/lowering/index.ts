/**
 * What compilers of graphs share: views, expressions that are computed where they are read, and the placement of buffers
 * in one arena. For backends that generate code; `@fep-moe/js` and `@fep-moe/webgpu` are built on it.
 * @packageDocumentation
 */

export { type RowAxis, rowAxesOf } from '../graph/row-wise.js'
export * from './lazy.js'
export * from './lowering.js'
export * from './plan.js'
export * from './scalar-name.js'
export * from './scope.js'
export * from './view.js'

/**
 * fep-moe graphs as JavaScript on typed arrays, and a backend that runs them.
 * @packageDocumentation
 */

export { createBackend, type JsBackendOptions, jsBackend } from './backend.js'
export { SMALL_PROGRAM } from './small-program.js'
export { type ToJavaScriptOptions, toJavaScript } from './to-javascript.js'

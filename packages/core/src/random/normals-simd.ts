/**
 * Bulk normals by WebAssembly SIMD, two to three times as fast as `fillNormals` of values.ts and the same bytes. Where
 * the module cannot be had (no WebAssembly or no SIMD, a content security policy), and for short runs, that function
 * serves.
 */
import { NORMALS_WASM } from './normals-wasm.js'
import { type FloatArray, fillNormals, normalTable, type Run, skip } from './values.js'

/** Where normals.wat writes its values, and how many it has room for: enough that the calls cost nothing. */
const VALUES = 32768
const CHUNK = 2048

/** Below this many values the call and the copy cost more than they save. */
const SHORTEST = 32

/** The exports of normals.wat. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  fill(w: number, key: number, count: number, single: number, mean: number, std: number): void
}

/** What this file uses of the host: neither is part of the language. */
interface Host {
  readonly WebAssembly: {
    readonly Module: new (code: Uint8Array) => object
    readonly Instance: new (module: object) => { readonly exports: unknown }
  }
  atob(text: string): string
}

interface Kernel {
  readonly fill: Exports['fill']
  readonly floats: Float32Array
  readonly doubles: Float64Array
}

/** Null once loading failed: not to be tried again on every fill. */
let loaded: Kernel | null | undefined

/** The kernel, loaded on first use; null where it cannot be. Compiles synchronously: browsers allow 4 KB. */
export function normalsKernel(): Kernel | null {
  if (loaded !== undefined) return loaded
  loaded = null
  // The table crosses as bytes, and the memory of WebAssembly is little-endian.
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) return loaded
  try {
    const { WebAssembly, atob } = globalThis as unknown as Host
    const code = Uint8Array.from(atob(NORMALS_WASM), (letter) => letter.charCodeAt(0))
    const { memory, fill } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as Exports
    const table = normalTable()
    new Float64Array(memory.buffer, 0, table.length).set(table)
    const floats = new Float32Array(memory.buffer, VALUES, CHUNK)
    const doubles = new Float64Array(memory.buffer, VALUES, CHUNK)
    loaded = { fill, floats, doubles }
  } catch {
    // Whatever the host lacks or forbids, there is the other way.
  }
  return loaded
}

/** Fills a run with `mean + std * normal`, as {@link fillNormals} does, whichever way is faster. */
export function fillNormalsFast(out: FloatArray, run: Run, mean: number, std: number): void {
  const kernel = run.to - run.from < SHORTEST ? null : normalsKernel()
  if (!kernel) {
    fillNormals(out, run, mean, std)
    return
  }
  const single = out instanceof Float32Array
  const values = single ? kernel.floats : kernel.doubles
  for (let from = run.from, w = run.w; from < run.to; from += CHUNK, w = skip(w, CHUNK)) {
    const count = Math.min(CHUNK, run.to - from)
    kernel.fill(w, run.key, count, single ? 1 : 0, mean, std)
    out.set(count === CHUNK ? values : values.subarray(0, count), from)
  }
}

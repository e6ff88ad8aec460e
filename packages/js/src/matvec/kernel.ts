/**
 * out = W x for a matrix in panels (panels.ts): by WebAssembly SIMD, five times as fast as a loop over rows, or where
 * the module cannot be had (no WebAssembly or no SIMD, a content security policy) by JavaScript. Both add in the same
 * order: the bits are the same.
 */
import { MATVEC_WASM } from './matvec-wasm.js'
import { panelRows } from './panels.js'

/**
 * @param x address of k floats, in bytes, as all addresses
 * @param w address of the panels
 * @param out address of m floats, and room for as many as the panels have rows
 */
export type MatVec = (x: number, w: number, out: number, k: number, m: number) => void

/** The exports of matvec.wat. */
export interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly matvec: MatVec
}

/** What this file uses of the host: neither is part of the language. */
interface Host {
  readonly WebAssembly: {
    readonly Module: new (code: Uint8Array) => object
    readonly Instance: new (module: object) => { readonly exports: unknown }
  }
  atob(text: string): string
}

/** Compiles the module; undefined where that cannot be. Synchronous: it is smaller than what browsers allow. */
export function loadKernel(): Kernel | undefined {
  // Typed arrays are of the host's order of bytes, and the memory of WebAssembly is little-endian.
  if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) return undefined
  try {
    const { WebAssembly, atob } = globalThis as unknown as Host
    const code = Uint8Array.from(atob(MATVEC_WASM), (letter) => letter.charCodeAt(0))
    return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as Kernel
  } catch {
    // Whatever the host lacks or forbids, there is the other way.
    return undefined
  }
}

/** The same on memory of its own kind, eight rows at a time. */
export function matvecOn(memory: ArrayBuffer): MatVec {
  const [floats, doubles] = [new Float32Array(memory), new Float64Array(memory)]
  return (x, w, out, k, m) => {
    let panel = w / 8
    for (let row = 0; row < m; ) {
      const rows = panelRows(m - row)
      for (let half = 0; half < rows; half += 8)
        eightRows(floats, doubles, x / 4, panel + half, rows, out / 4 + row + half, k)
      panel += rows * k
      row += rows
    }
  }
}

function eightRows(
  floats: Float32Array,
  doubles: Float64Array,
  x: number,
  panel: number,
  rows: number,
  out: number,
  k: number,
): void {
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let p = 0, at = panel; p < k; p++, at += rows) {
    const value = floats[x + p] as number
    s0 += (doubles[at] as number) * value
    s1 += (doubles[at + 1] as number) * value
    s2 += (doubles[at + 2] as number) * value
    s3 += (doubles[at + 3] as number) * value
    s4 += (doubles[at + 4] as number) * value
    s5 += (doubles[at + 5] as number) * value
    s6 += (doubles[at + 6] as number) * value
    s7 += (doubles[at + 7] as number) * value
  }
  floats[out] = s0
  floats[out + 1] = s1
  floats[out + 2] = s2
  floats[out + 3] = s3
  floats[out + 4] = s4
  floats[out + 5] = s5
  floats[out + 6] = s6
  floats[out + 7] = s7
}

/**
 * Memory for programs that multiply vectors by constant matrices. One WebAssembly memory serves all of them, because a
 * browser reserves gigabytes of addresses for each; its size is fixed, so views of it never detach. A program that finds
 * no room there gets memory of its own, and the kernel in JavaScript.
 */
import { FirstFit } from './first-fit.js'
import { type Kernel, loadKernel, type MatVec, matvecOn } from './kernel.js'

/** Where a program's arrays lie, and the product of a packed matrix and a vector there. */
export interface Space {
  readonly memory: ArrayBuffer
  /** Address of the first byte that is the program's; the bytes are not zero. */
  readonly base: number
  readonly matvec: MatVec
  /** True where WebAssembly runs `matvec`. */
  readonly shared: boolean
  /** Gives the memory back; nothing may touch it any more. More than once does nothing. */
  release(): void
}

/** Null once loading failed: not to be tried again for every program. */
let loaded: { readonly kernel: Kernel; readonly blocks: FirstFit } | null | undefined

function load() {
  if (loaded !== undefined) return loaded
  const kernel = loadKernel()
  loaded = kernel ? { kernel, blocks: new FirstFit(kernel.memory.buffer.byteLength) } : null
  return loaded
}

/** Bytes that programs hold of the shared memory, and its size; zeros where there is none. */
export const sharedMemory = (): { readonly used: number; readonly size: number } => {
  const { used, size } = load()?.blocks ?? { used: 0, size: 0 }
  return { used, size }
}

/** Memory of at least so many bytes. */
export function openSpace(bytes: number): Space {
  const there = load()
  const base = there?.blocks.take(bytes)
  if (!there || base === undefined) {
    const memory = new ArrayBuffer(Math.ceil(bytes / 8) * 8)
    return { memory, base: 0, matvec: matvecOn(memory), shared: false, release: () => undefined }
  }
  let held = true
  const release = () => {
    if (held) there.blocks.give(base)
    held = false
  }
  return { memory: there.kernel.memory.buffer, base, matvec: there.kernel.matvec, shared: true, release }
}

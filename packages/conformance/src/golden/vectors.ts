/** Golden vectors: tensors that the papers' own PyTorch code computed, with a tolerance for each. */
import type { DType, Tensor } from '@fep-moe/core'
import type { Tolerance } from '../frame/case.js'
import { sizeOfShape } from '../frame/data.js'
import { CaseFailure } from '../frame/failure.js'
import { RTOL } from '../vectors/index.js'

/** A stored case: tensors as [name, dtype, shape, atol] in the order of their bytes, and the bytes in base64. */
export interface VectorData {
  readonly tensors: readonly (readonly [
    name: string,
    dtype: string,
    shape: readonly number[],
    atol: number,
  ])[]
  readonly bytes: string
}

/** A case in the index. */
export interface VectorEntry {
  readonly id: string
  readonly module: string
  readonly config: Readonly<Record<string, unknown>>
}

declare function atob(base64: string): string

/** An opened case. */
export interface Vectors {
  /** Tensor by its full name (`param.W.weight`). @throws CaseFailure where there is none */
  get(name: string): Tensor
  /** Its tolerance. */
  tolerance(name: string): Tolerance
  /** Names that start with a prefix (`grad.`), without it. */
  names(prefix: string): string[]
}

type Module = Promise<{ readonly vectors: Readonly<Record<string, VectorData>> }>

/** Loaded on demand: a browser that runs other groups never fetches them. */
const MODULES: Readonly<Record<string, () => Module>> = {
  'a1-small': () => import('../vectors/a1-small.js'),
  'a1-large': () => import('../vectors/a1-large.js'),
  'a2-small': () => import('../vectors/a2-small.js'),
  'a2-large': () => import('../vectors/a2-large.js'),
  a3: () => import('../vectors/a3.js'),
  'a3-mixture': () => import('../vectors/a3-mixture.js'),
  a4: () => import('../vectors/a4.js'),
  'a5-small': () => import('../vectors/a5-small.js'),
  'a5-large': () => import('../vectors/a5-large.js'),
  'a6-a7': () => import('../vectors/a6-a7.js'),
  b1: () => import('../vectors/b1.js'),
  b2: () => import('../vectors/b2.js'),
  'b3-b7': () => import('../vectors/b3-b7.js'),
  b4: () => import('../vectors/b4.js'),
  b5: () => import('../vectors/b5.js'),
  b6: () => import('../vectors/b6.js'),
  s0: () => import('../vectors/s0.js'),
  s4: () => import('../vectors/s4.js'),
}

/** Opens a case. */
export async function openVectors({ id, module }: VectorEntry): Promise<Vectors> {
  const { vectors } = await (MODULES[module] as () => Module)()
  const { tensors, bytes } = vectors[id] as VectorData
  const binary = atob(bytes)
  const decoded = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) decoded[i] = binary.charCodeAt(i)
  const { buffer } = decoded
  const known = new Map<string, { tensor: Tensor; atol: number }>()
  let offset = 0
  for (const [name, dtype, shape, atol] of tensors) {
    const length = sizeOfShape(shape)
    const data =
      dtype === 'int32' ? new Int32Array(buffer, offset, length) : new Float32Array(buffer, offset, length)
    known.set(name, { tensor: { dtype: dtype as DType, shape, data }, atol })
    offset += 4 * length
  }
  const find = (name: string) => {
    const found = known.get(name)
    if (!found) throw new CaseFailure(`golden case ${id} has no tensor '${name}'`)
    return found
  }
  return {
    get: (name) => find(name).tensor,
    tolerance: (name) => ({ atol: find(name).atol, rtol: RTOL }),
    names: (prefix) =>
      [...known.keys()].filter((n) => n.startsWith(prefix)).map((n) => n.slice(prefix.length)),
  }
}

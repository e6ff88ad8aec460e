/** Literals on the device: made once per program, freed with it. */
import type { DType } from '@fep-moe/core'
import { allocate } from '@fep-moe/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Device, Handle } from '../device/device.js'

/** Up to this many elements, equal literals are one tensor. */
const SHARED = 64

/** The literals of one program. */
export class Constants {
  private readonly tensors: Tensor[] = []
  private readonly known = new Map<string, Tensor>()

  constructor(private readonly device: Device) {}

  /** A literal; numbers are rounded to the dtype. */
  get(dtype: DType, shape: readonly number[], data: ArrayLike<number>): Handle {
    const key = data.length <= SHARED ? `${dtype}|${shape.join()}|${signed(data)}` : undefined
    const known = key === undefined ? undefined : this.known.get(key)
    if (known) return known
    const array = allocate(dtype, data.length)
    array.set(data)
    const mark = this.device.mark()
    const handle = this.device.upload({ dtype, shape }, array)
    this.device.sweep(mark, [handle])
    const tensor = this.device.adopt(handle)
    this.tensors.push(tensor)
    if (key !== undefined) this.known.set(key, tensor)
    return tensor
  }

  /** True for data that a literal holds. */
  holds(dataId: Handle['dataId']): boolean {
    return this.tensors.some((t) => t.dataId === dataId)
  }

  dispose(): void {
    for (const tensor of this.tensors) tensor.dispose()
    this.tensors.length = 0
    this.known.clear()
  }
}

/** Numbers as text; −0 is not 0. */
const signed = (data: ArrayLike<number>): string =>
  Array.from(data, (v) => (Object.is(v, -0) ? '-0' : String(v))).join()

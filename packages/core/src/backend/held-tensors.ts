/** Tensors that live from one run to the next: replacing one frees the old one where a device holds it. */
import type { DeviceTensor, Feed } from './contract.js'

const free = (t: Feed | undefined): void => {
  if (t && 'dispose' in t) (t as DeviceTensor).dispose()
}

/** A named set of such tensors. */
export class HeldTensors {
  private readonly tensors = new Map<string, Feed>()

  constructor(initial: Readonly<Record<string, Feed>> = {}) {
    for (const [name, t] of Object.entries(initial)) this.tensors.set(name, t)
  }

  /** The tensor under a name; undefined where none is held. */
  get(name: string): Feed | undefined {
    return this.tensors.get(name)
  }

  /** All tensors, with their names. */
  entries(): [string, Feed][] {
    return [...this.tensors]
  }

  /** Replaces, or adds, a tensor. */
  set(name: string, t: Feed): void {
    const old = this.tensors.get(name)
    this.tensors.set(name, t)
    if (old !== t) free(old)
  }

  /** Frees one tensor, or all. */
  clear(name?: string): void {
    for (const key of name === undefined ? [...this.tensors.keys()] : [name]) {
      free(this.tensors.get(key))
      this.tensors.delete(key)
    }
  }
}

/** Unique names. ONNX has one name space for a model and all graphs nested in it. */

/** Hands out each name once; a clash gets a number. */
export class NameTable {
  private readonly taken = new Map<string, number>()

  /** The wish where it is free, else `wish_2`, `wish_3`, … */
  unique(wish: string): string {
    const base = wish === '' ? '_' : wish
    let n = this.taken.get(base)
    if (n === undefined) {
      this.taken.set(base, 1)
      return base
    }
    let name: string
    do name = `${base}_${++n}`
    while (this.taken.has(name))
    this.taken.set(base, n)
    this.taken.set(name, 1)
    return name
  }
}

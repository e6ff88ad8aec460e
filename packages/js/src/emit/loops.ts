/**
 * Loop nests over views of one shape. Axes that all views walk in step become one loop, axes of length 1 none, and an
 * element that a loop does not change is read before the loop.
 */
import type { View } from '@fep-moe/core/lowering'
import type { KernelWriter, Wish } from './kernel-writer.js'

/** Views over one shape, with as few axes as say the same. */
interface Nest {
  readonly shape: readonly number[]
  readonly strides: ReadonlyMap<View, readonly number[]>
  /** Axes that stand for those before the split that was asked for. */
  readonly split: number
}

/** @param split axes before it and after it are not merged with each other */
function collapse(shape: readonly number[], views: readonly View[], split: number): Nest {
  const dims: number[] = []
  const strides = views.map((): number[] => [])
  let before = 0
  let barrier = true
  shape.forEach((dim, axis) => {
    if (axis === split) {
      before = dims.length
      barrier = true
    }
    if (dim === 1) return
    const last = dims.length - 1
    const stride = (v: View) => v.strides[axis] as number
    const merges = !barrier && views.every((v, i) => strides[i]?.[last] === stride(v) * dim)
    barrier = false
    if (merges) {
      dims[last] = (dims[last] as number) * dim
      views.forEach((v, i) => {
        ;(strides[i] as number[])[last] = stride(v)
      })
      return
    }
    dims.push(dim)
    views.forEach((v, i) => {
      ;(strides[i] as number[]).push(stride(v))
    })
  })
  if (split >= shape.length) before = dims.length
  return { shape: dims, strides: new Map(views.map((v, i) => [v, strides[i] as number[]])), split: before }
}

const NAMES: readonly Wish[] = ['i', 'j', 'l', 'm', 'n']

/** A nest that is opened in one or two stages. */
export class Loops {
  private readonly nest: Nest
  private readonly indices: string[] = []
  private readonly held = new Map<View, string>()

  /**
   * @param reads views that are only read: what does not change is read early
   * @param others views that are written, or whose place depends on what the kernel computes
   * @param split number of axes that the first stage opens; default: all
   */
  constructor(
    private readonly k: KernelWriter,
    shape: readonly number[],
    private readonly reads: readonly View[],
    others: readonly View[],
    split = shape.length,
  ) {
    this.nest = collapse(shape, [...new Set([...reads, ...others])], split)
    this.holdFixed()
  }

  /** Opens the loops of the first stage. */
  openOuter(): void {
    this.openTo(this.nest.split)
  }

  /** Opens the rest. */
  openInner(): void {
    this.openTo(this.nest.shape.length)
  }

  /** Closes the loops of the second stage. */
  closeInner(): void {
    this.closeTo(this.nest.split)
  }

  /** Closes everything. */
  close(): void {
    this.closeTo(0)
  }

  /** An element here: of a view that was read early its variable. */
  element(view: View): string {
    const held = this.held.get(view)
    if (held !== undefined) return held
    const strides = this.nest.strides.get(view) as readonly number[]
    return this.k.element(
      { ...view, strides },
      this.nest.shape.map((_, i) => this.indices[i] ?? '0'),
    )
  }

  private openTo(depth: number): void {
    while (this.indices.length < depth) {
      const at = this.indices.length
      this.indices.push(this.k.loop(NAMES[at] ?? 'i', this.nest.shape[at] as number))
      this.holdFixed()
    }
  }

  private closeTo(depth: number): void {
    while (this.indices.length > depth) {
      this.indices.pop()
      this.k.close()
    }
  }

  /** Reads what no loop that is still to open changes, where there is such a loop. */
  private holdFixed(): void {
    const depth = this.indices.length
    if (depth === this.nest.shape.length) return
    for (const view of this.reads) {
      const strides = this.nest.strides.get(view) as readonly number[]
      if (this.held.has(view) || strides.slice(depth).some((s) => s !== 0)) continue
      this.held.set(view, this.k.hold('v', this.element(view)))
    }
  }
}

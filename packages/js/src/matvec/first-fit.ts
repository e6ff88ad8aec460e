/** Places blocks of bytes in a range, each at the lowest free address. */

/** Every block starts a cache line. */
const ALIGNMENT = 64

interface Block {
  readonly from: number
  readonly to: number
}

/** See the file's header. Bookkeeping only: it touches no memory. */
export class FirstFit {
  /** In order of addresses. */
  private readonly blocks: Block[] = []

  /** @param size bytes of the range, which begins at 0 */
  constructor(readonly size: number) {}

  /** Bytes that are taken, rounding included. */
  get used(): number {
    return this.blocks.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  /** The address of a block that is nobody else's; undefined where there is no room. */
  take(bytes: number): number | undefined {
    const length = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT
    let from = 0
    let place = 0
    for (const block of this.blocks) {
      if (block.from - from >= length) break
      from = block.to
      place++
    }
    if (from + length > this.size) return undefined
    this.blocks.splice(place, 0, { from, to: from + length })
    return from
  }

  /** Takes a block back. An address where none begins is ignored. */
  give(address: number): void {
    const place = this.blocks.findIndex(({ from }) => from === address)
    if (place >= 0) this.blocks.splice(place, 1)
  }
}

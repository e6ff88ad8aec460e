/** Counts what still needs a device, so that disposing a backend waits for the work that it was given before. */
export class Usage {
  private count = 0
  private readonly waiting: (() => void)[] = []

  enter(): void {
    this.count++
  }

  leave(): void {
    if (--this.count === 0) for (const resolve of this.waiting.splice(0)) resolve()
  }

  /** Resolves when nothing is in use. */
  idle(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve))
  }
}

/** How far the host may run ahead of the device, where nobody reads: feeds wait in memory until they are used. */
import type { GpuQueue } from './api.js'

/** Runs, and bytes of their feeds, between two looks at the device; at most twice that many wait. */
const RUNS = 64
const BYTES = 16 * 2 ** 20

/** Paces the runs on one device. */
export class Pace {
  private runs = 0
  private bytes = 0
  private earlier: Promise<unknown> | undefined

  constructor(private readonly queue: GpuQueue) {}

  /** Call it after a run was submitted; where the device is too far behind, await it before the next one. */
  async after(bytes: number): Promise<void> {
    this.runs++
    this.bytes += bytes
    if (this.runs < RUNS && this.bytes < BYTES) return
    this.runs = 0
    this.bytes = 0
    const { earlier } = this
    // It rejects on a lost device only, and that is noticed elsewhere.
    this.earlier = this.queue.onSubmittedWorkDone().catch(() => undefined)
    await earlier
  }
}

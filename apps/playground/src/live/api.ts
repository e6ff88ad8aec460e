/** What a test may ask of the live page. */
import type { FrameTimes } from './frames.js'

/** `window.live`. */
export interface LiveApi {
  /** Of the last 300 frames. */
  frameTimes(): FrameTimes
  /** Forgets them. */
  clearFrameTimes(): void
}

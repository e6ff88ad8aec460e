/** Ctrl-C: work is told to stop, and gets to clean up. */
import { Interrupted } from './status.js'

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Runs work that can be interrupted. The work must let the event loop turn now and then: a signal waits for that.
 * @throws Interrupted as soon as a signal arrives; the work's own end is not waited for
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop: (() => void)[] = []
  const interrupted = new Promise<never>((_, reject) => {
    for (const [name, status] of Object.entries(SIGNALS)) {
      const listener = () => {
        // A second signal finds the default action again and ends the process at once.
        for (const remove of stop) remove()
        const reason = new Interrupted(status)
        controller.abort(reason)
        reject(reason)
      }
      process.on(name, listener)
      stop.push(() => process.removeListener(name, listener))
    }
  })
  interrupted.catch(() => undefined)
  const running = work(controller.signal)
  running.catch(() => undefined)
  try {
    return await Promise.race([running, interrupted])
  } finally {
    for (const remove of stop) remove()
  }
}

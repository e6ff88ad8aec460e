/** Runs asynchronous work in call order, one at a time. A failure does not stop what comes after. */
export interface Queue {
  /** Appends work, which starts at once where nothing is before it; resolves or rejects with its outcome. */
  <T>(work: () => Promise<T>): Promise<T>
  /** True where nothing is under way or waiting. */
  readonly isIdle: boolean
  /** Resolves when everything appended so far is over. */
  idle(): Promise<unknown>
}

/** Makes an empty queue. */
export function serialQueue(): Queue {
  let tail: Promise<unknown> = Promise.resolve()
  let pending = 0
  const done = () => {
    pending--
  }
  const append = <T>(work: () => Promise<T>): Promise<T> => {
    const result = pending++ === 0 ? work() : tail.then(work)
    tail = result.then(done, done)
    return result
  }
  return Object.defineProperty(Object.assign(append, { idle: () => tail }), 'isIdle', {
    get: () => pending === 0,
  }) as Queue
}

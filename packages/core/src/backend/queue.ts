/** Runs asynchronous work in call order, one at a time. A failure does not stop what comes after. */
export interface Queue {
  /** Appends work; resolves or rejects with its outcome. */
  <T>(work: () => Promise<T>): Promise<T>
  /** Resolves when everything appended so far is over. */
  idle(): Promise<unknown>
}

/** Makes an empty queue. */
export function serialQueue(): Queue {
  let tail: Promise<unknown> = Promise.resolve()
  const append = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }
  return Object.assign(append, { idle: () => tail })
}

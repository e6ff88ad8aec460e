/** Error scopes of WebGPU, always closed in the turn that opened them: a stack that callers share never mixes. */
import type { GpuDevice, GpuError } from './api.js'

/** Result of work inside a scope. */
export interface Scoped<T> {
  readonly value: T
  /** The error that the device found in it, later; null where there was none, or where the device is lost. */
  readonly error: Promise<GpuError | null>
}

/** Runs synchronous work inside one scope per filter. Other errors go where they would have gone. */
export function scoped<T>(
  gpu: GpuDevice,
  filters: readonly ('validation' | 'out-of-memory')[],
  work: () => T,
): Scoped<T> {
  for (const filter of filters) gpu.pushErrorScope(filter)
  // Closing rejects on a lost device only, and that is noticed elsewhere.
  const close = () => Promise.all(filters.map(() => gpu.popErrorScope().catch(() => null)))
  let value: T
  try {
    value = work()
  } catch (error) {
    void close()
    throw error
  }
  return { value, error: close().then((errors) => errors.find((error) => error !== null) ?? null) }
}

/** Memory over many streaming steps: what a service that never stops would see. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Backend, createGate, tensor } from '@fep-moe/core'

/** Megabytes after a garbage collection; the keys are the output's. */
export interface MemoryTiming {
  readonly what: 'memory'
  readonly executor: string
  readonly steps: number
  /** JavaScript heap and array buffers after a fifth, three fifths and all of the steps. */
  readonly heap_mb: readonly number[]
  /** Resident set of the process at the same moments. */
  readonly rss_mb: readonly number[]
  /** Bytes of heap per step between the first and the last of these. */
  readonly heap_bytes_per_step: number
}

const PARTS = 5

/** Takes streaming steps and measures. */
export async function measureMemory(
  executor: string,
  backend: Backend,
  { steps, signal }: { readonly steps: number; readonly signal: AbortSignal },
): Promise<MemoryTiming> {
  const collect = collector()
  const gate = createGate({
    dim: 16,
    experts: 4,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'additive' },
  })
  const stream = await gate.stream(backend, gate.init({ seed: 0 }))
  const token = tensor(new Float32Array(16).fill(0.1), [1, 16])
  const heap: number[] = []
  const rss: number[] = []
  try {
    for (let part = 1; part <= PARTS; part++) {
      for (let i = 0; i < steps / PARTS; i++) {
        await stream.step(token)
        if (i % 1000 === 0) signal.throwIfAborted()
      }
      collect()
      const { heapUsed, arrayBuffers, rss: resident } = process.memoryUsage()
      heap.push(heapUsed + arrayBuffers)
      rss.push(resident)
    }
  } finally {
    stream.dispose()
  }
  const shown = (bytes: readonly number[]) =>
    [0, 2, 4].map((i) => Math.round((bytes[i] as number) / 1e4) / 100)
  const growth = (heap.at(-1) as number) - (heap[0] as number)
  return {
    what: 'memory',
    executor,
    steps,
    heap_mb: shown(heap),
    rss_mb: shown(rss),
    heap_bytes_per_step: Math.round((100 * growth) / (steps * (1 - 1 / PARTS))) / 100,
  }
}

/** The engine's garbage collection, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

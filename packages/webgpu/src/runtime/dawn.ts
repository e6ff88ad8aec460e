/**
 * The owner of every `GPU` object that this package uses in Node.
 *
 * Dawn's Node binding frees its instance when the object that `create()` returned is collected, although adapters and
 * devices made from it live on: the next call crashes the process. Holding an adapter does not help, and a module's
 * variable may be collected when nothing reads it any more. So the object is kept where nothing can let go of it, one
 * for all copies of this package in a process (in a worker thread: in the thread).
 */
import { FepError } from '@fep-moe/core'
import type { Gpu } from './api.js'

/** The registered symbol is the same in every copy of the package. */
const HELD = Symbol.for('@fep-moe/webgpu: GPU objects that must outlive their devices')

interface Held {
  readonly all: Set<Gpu>
  dawn?: Gpu
}

const held = (): Held => {
  const global = globalThis as unknown as Record<symbol, Held>
  global[HELD] ??= { all: new Set() }
  return global[HELD]
}

/** Keeps a `GPU` object for as long as the process, or the page, lives. */
export function holdForever(gpu: Gpu): Gpu {
  held().all.add(gpu)
  return gpu
}

/** What the npm package `webgpu` exports. */
interface DawnModule {
  create(flags: string[]): Gpu
}

/** The name is a variable so that no bundler looks for the package. */
const importDawn = (name = 'webgpu'): Promise<DawnModule> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/**
 * Dawn's `GPU` object, made on the first call.
 * @param load replaces the import of the npm package in tests
 * @throws FEP_BACKEND_MISSING
 */
export async function dawn(load: () => Promise<DawnModule> = importDawn): Promise<Gpu> {
  const known = held().dawn
  if (known) return known
  let module: DawnModule
  try {
    module = await load()
  } catch (cause) {
    const [reason] = String((cause as { message?: unknown })?.message ?? cause).split('\n')
    throw new FepError(
      'FEP_BACKEND_MISSING',
      `the npm package 'webgpu' (Dawn) does not load: ${reason}. Install it with: npm install webgpu@0.6.2`,
      { cause },
    )
  }
  const state = held()
  // Two calls may have imported at once; the first one's object serves both.
  state.dawn ??= holdForever(module.create([]))
  return state.dawn
}

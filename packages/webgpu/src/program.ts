/** A program on WebGPU: feeds into the arena, dispatches, results out of it. */
import type { Feeds, Fetches, HostFetches, ProgramImplementation } from '@fep-moe/core'
import type { DispatchProgram, Port } from './ir/dispatch-program.js'
import type { GpuBuffer, GpuCommandEncoder } from './runtime/api.js'
import { Problems } from './runtime/buffer-pool.js'
import { type FeedsOnDevice, foreign, holdFeeds, writeFeeds } from './runtime/feeds.js'
import type { Lifetime } from './runtime/lifetime.js'
import { LoadedProgram } from './runtime/loaded-program.js'
import { fromWords, WORD } from './runtime/words.js'
import { WebgpuTensor } from './tensor.js'

/**
 * Loads a dispatch program on the device of a backend. Where that device is lost, the next run loads it again on the
 * successor.
 * @param text writes the program for people, when somebody asks
 * @throws FEP_BACKEND_FAILED, FEP_DEVICE_LOST, FEP_DISPOSED
 */
export async function openProgram(
  source: DispatchProgram,
  text: () => string,
  lifetime: Lifetime,
): Promise<ProgramImplementation> {
  lifetime.usage.enter()
  let loaded: LoadedProgram
  const load = async (): Promise<LoadedProgram> => {
    loaded = await LoadedProgram.load(source, await lifetime.device())
    return loaded
  }
  try {
    await load()
  } catch (error) {
    lifetime.usage.leave()
    throw error
  }
  /** Calls `use` at once where it can, with feeds that nobody can free before they are used. */
  const withFeeds = async <R>(
    feeds: Feeds,
    use: (ready: LoadedProgram, feeds: FeedsOnDevice) => Promise<R>,
  ): Promise<R> => {
    const away = foreign(feeds, lifetime.usage)
    const near = away ? await away : feeds
    const ready = loaded.device.isLive ? loaded : await load()
    const held = holdFeeds(near)
    try {
      return await use(ready, held)
    } finally {
      held.release()
    }
  }
  return {
    artifact: {
      format: 'wgsl',
      get data() {
        return text()
      },
    },
    run: (feeds) => withFeeds(feeds, (ready, held) => run(ready, source, held)),
    runInto: (feeds, out) => withFeeds(feeds, (ready, held) => runInto(ready, source, held, out)),
    dispose: () => {
      loaded.dispose()
      lifetime.usage.leave()
    },
  }
}

/** Results stay on the device. It does not wait for them, unless the device has fallen behind. */
async function run(ready: LoadedProgram, source: DispatchProgram, feeds: FeedsOnDevice): Promise<Fetches> {
  const { device } = ready
  const problems = new Problems()
  const results = source.outputs.map(({ dtype, shape, count }) => {
    const buffer = count === 0 ? undefined : device.results.take(count * WORD, problems)
    return new WebgpuTensor(dtype, shape, count, buffer, device)
  })
  try {
    if (problems.any) await problems.settle()
    execute(ready, source, feeds, (encoder) =>
      source.outputs.forEach((port, i) => {
        const target = results[i]?.buffer
        if (target) copyOut(encoder, ready, port, target, 0)
      }),
    )
  } catch (error) {
    for (const { buffer } of results) if (buffer) device.results.drop(buffer)
    throw error
  }
  await device.pace.after(source.inputs.reduce((bytes, { count }) => bytes + count * WORD, 0))
  return Object.fromEntries(source.outputs.map(({ name }, i) => [name, results[i] as WebgpuTensor]))
}

/** Results go to the host in one piece, and stay nowhere. */
async function runInto(
  ready: LoadedProgram,
  source: DispatchProgram,
  feeds: FeedsOnDevice,
  out: HostFetches,
): Promise<void> {
  const { device } = ready
  const wanted = source.outputs.filter(({ name, count }) => out[name] && count > 0)
  const bytes = wanted.reduce((sum, { count }) => sum + count * WORD, 0)
  if (bytes === 0) return
  const staging = await device.takeStaging(bytes)
  try {
    execute(ready, source, feeds, (encoder) => {
      let at = 0
      for (const port of wanted) {
        copyOut(encoder, ready, port, staging, at)
        at += port.count * WORD
      }
    })
  } catch (error) {
    device.staging.drop(staging)
    throw error
  }
  await device.readBack(staging, bytes, (mapped) => {
    let from = 0
    for (const { name, dtype, count } of wanted) {
      out[name]?.data.set(fromWords(dtype, mapped, from, count) as Float32Array)
      from += count * WORD
    }
  })
}

/** Writes feeds, runs, and copies what `after` encodes. @throws FEP_DEVICE_LOST, FEP_DISPOSED, FEP_BACKEND_FAILED */
function execute(
  ready: LoadedProgram,
  { inputs }: DispatchProgram,
  feeds: FeedsOnDevice,
  after: (encoder: GpuCommandEncoder) => void,
): void {
  const { device, arena } = ready
  device.check()
  device.submit(() => ready.run((encoder) => writeFeeds(device, encoder, arena, inputs, feeds), after))
}

function copyOut(
  encoder: GpuCommandEncoder,
  { arena }: LoadedProgram,
  { offset, count }: Port,
  target: GpuBuffer,
  at: number,
): void {
  encoder.copyBufferToBuffer(arena as never, offset * WORD, target as never, at, count * WORD)
}

/** Programs written by hand, for tests of the runtime alone. */
import type { ProgramImplementation } from '@fep-moe/core'
import type { Dispatch, DispatchProgram, Port } from '../src/ir/dispatch-program.js'
import { openProgram } from '../src/program.js'
import { Device } from '../src/runtime/device.js'
import { Lifetime } from '../src/runtime/lifetime.js'
import { openDevice } from '../src/runtime/open.js'
import { Usage } from '../src/runtime/usage.js'

const ARENA = '@group(0) @binding(0) var<storage, read_write> arena: array<u32>;'
const WORDS = '@group(0) @binding(1) var<uniform> at: array<vec4<u32>, 1>;'

/** A kernel over `count` threads; `body` has `i`, and `at[0]` where there are words. */
export function kernel(label: string, count: number, body: string, words: readonly number[] = []): Dispatch {
  const wgsl = [
    ARENA,
    ...(words.length > 0 ? [WORDS] : []),
    '@compute @workgroup_size(64)',
    'fn main(@builtin(global_invocation_id) id: vec3<u32>) {',
    '  let i = id.x;',
    `  if (i >= ${count}u) { return; }`,
    `  ${body}`,
    '}',
  ].join('\n')
  const workgroups = [Math.max(1, Math.ceil(count / 64)), 1, 1] as const
  return { label, wgsl, workgroups, words: Uint32Array.from(words), cost: count }
}

const port = (name: string, dtype: Port['dtype'], offset: number, count: number): Port => ({
  name,
  dtype,
  shape: [count],
  offset,
  count,
})

/** s' = s + x · 2, with the 2 a literal of the arena; `positive` = s' > 0, `steps` = number of the element. */
export function counter(n: number): DispatchProgram {
  const [s, x, next, positive, index, two] = [0, n, 2 * n, 3 * n, 4 * n, 5 * n]
  const f = (place: string) => `bitcast<f32>(arena[${place}])`
  return {
    name: 'counter',
    arenaWords: 5 * n + 1,
    constants: [{ offset: two, data: new Uint32Array(Float32Array.of(2).buffer) }],
    inputs: [port('s', 'float32', s, n), port('x', 'float32', x, n)],
    outputs: [
      port('s', 'float32', next, n),
      port('positive', 'bool', positive, n),
      port('index', 'int32', index, n),
      port('again', 'float32', next, n),
      port('none', 'float32', 0, 0),
    ],
    dispatches: [
      kernel(
        'next: Mul, Add',
        n,
        `arena[at[0].z + i] = bitcast<u32>(${f('at[0].x + i')} + ${f('at[0].y + i')} * ${f(`${two}u`)});`,
        [s, x, next, 0],
      ),
      kernel('positive: Greater', n, `arena[${positive}u + i] = select(0u, 1u, ${f(`${next}u + i`)} > 0.0);`),
      kernel('index: CumSum', n, `arena[${index}u + i] = i;`),
    ],
  }
}

/** not = !given, back = given; twice = 2 · whole. */
export function kinds(n: number): DispatchProgram {
  return {
    name: 'kinds',
    arenaWords: 4 * n,
    constants: [],
    inputs: [port('given', 'bool', 0, n), port('whole', 'int32', n, n)],
    outputs: [port('not', 'bool', 2 * n, n), port('back', 'bool', 0, n), port('twice', 'int32', 3 * n, n)],
    dispatches: [
      kernel('not: Not', n, `arena[${2 * n}u + i] = 1u - arena[i];`),
      kernel('twice: Mul', n, `arena[${3 * n}u + i] = 2u * arena[${n}u + i];`),
    ],
  }
}

/** A device with a lifetime of its own; `reopened` counts its successors. */
export async function openLifetime(): Promise<Lifetime> {
  const usage = new Usage()
  const open = async () => {
    const { gpu, adapter } = await openDevice(undefined)
    return new Device(gpu, adapter, false, usage)
  }
  return new Lifetime(await open(), usage, open)
}

/** Opens a program without a text. */
export const load = (program: DispatchProgram, lifetime: Lifetime): Promise<ProgramImplementation> =>
  openProgram(program, () => 'text', lifetime)

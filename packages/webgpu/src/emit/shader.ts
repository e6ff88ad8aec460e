/** Whole modules of WGSL: of one kernel, or of a recurrence whose phases follow each other behind barriers. */
import type { Buffer } from '@fep-moe/core/lowering'
import type { Block, Kernel, Phase } from '../ir/module.js'
import { functionsText } from '../math/functions.js'
import { type Slot, WgslWriter } from './wgsl-writer.js'

/** What a device allows. */
export interface Limits {
  readonly maxWorkgroupsPerDimension: number
  readonly maxWorkgroupSize: number
}

/** A module of WGSL, and what it is launched with. */
export interface Shader {
  readonly wgsl: string
  readonly workgroups: readonly [number, number, number]
  /** The words of the uniform, in order. */
  readonly slots: readonly Slot[]
}

/** Threads of a workgroup whose items are independent. */
const MAP_SIZE = 64
/** The least that keeps the threads of a graphics card's smallest unit busy. */
const LEAST_SIZE = 32

/** A kernel by itself. */
export function kernelShader(kernel: Kernel, limits: Limits): Shader {
  const k = new WgslWriter()
  if (kernel.team) {
    const { groups, size, write } = kernel.team
    return shader(k, size, groups, limits, (group) => write(k, group, 'lane'))
  }
  const size = Math.min(MAP_SIZE, limits.maxWorkgroupSize)
  return shader(k, size, Math.ceil(kernel.items / size), limits, (group) => {
    k.line(`let item = ${group} * ${size}u + lane;`)
    k.open(`if (item < ${kernel.items}u)`)
    kernel.write(k, 'item')
    k.close()
  })
}

/** A recurrence: steps `start`..`stop`, which are words. */
export function blockShader({ before, loop, rows }: Block, limits: Limits): Shader {
  const k = new WgslWriter()
  const widest = Math.max(...phasesOf([...before, loop]).map(({ items }) => items), 1)
  const size = Math.min(Math.max(2 ** Math.ceil(Math.log2(widest)), LEAST_SIZE), limits.maxWorkgroupSize)
  return shader(k, size, rows, limits, (group) => {
    k.line(`let row = ${group};`)
    const [start, stop] = [k.word('start'), k.word('stop')]
    const barriers = new Barriers(k)
    if (before.length > 0) {
      k.open(`if (${start} == 0u)`)
      for (const phase of before) writePhase(k, phase, size, barriers)
      barriers.place()
      k.close()
    }
    writeLoop(k, loop, size, start, stop)
  })
}

const phasesOf = (phases: readonly Phase[]): Kernel[] =>
  phases.flatMap((phase) => (phase.kind === 'kernel' ? [phase] : phasesOf(phase.body)))

/** Barriers where a phase touches what others wrote, or writes what others read, since the last one. */
class Barriers {
  private readonly reads = new Set<Buffer>()
  private readonly writes = new Set<Buffer>()

  constructor(private readonly k: WgslWriter) {}

  /** Before a phase. */
  before({ reads, writes }: Kernel): void {
    const meets = (a: ReadonlySet<Buffer>, b: ReadonlySet<Buffer>) => [...a].some((buffer) => b.has(buffer))
    if (meets(reads, this.writes) || meets(writes, this.writes) || meets(writes, this.reads)) this.place()
    for (const buffer of reads) this.reads.add(buffer)
    for (const buffer of writes) this.writes.add(buffer)
  }

  /** Where something was touched since the last one. */
  place(): void {
    if (this.reads.size + this.writes.size > 0) this.k.line('storageBarrier();')
    this.reads.clear()
    this.writes.clear()
  }
}

function writePhase(k: WgslWriter, phase: Kernel, size: number, barriers: Barriers): void {
  barriers.before(phase)
  const head =
    phase.items > size
      ? `for (var item = lane; item < ${phase.items}u; item += ${size}u)`
      : phase.items < size
        ? `if (lane < ${phase.items}u)`
        : ''
  k.open(head)
  phase.write(k, phase.items > size ? 'item' : 'lane')
  k.close()
}

function writeLoop(
  k: WgslWriter,
  { variable, steps, reverse, body }: Extract<Phase, { kind: 'loop' }>,
  size: number,
  start: string,
  stop: string,
): void {
  const step = k.loop('step_at', stop, start)
  k.counted.add(variable)
  k.line(`let ${variable} = ${reverse ? `${steps - 1}u - ${step}` : step};`)
  const barriers = new Barriers(k)
  for (const phase of body) {
    if (phase.kind === 'kernel') writePhase(k, phase, size, barriers)
    else {
      barriers.place()
      writeLoop(k, phase, size, '0u', `${phase.steps}u`)
    }
  }
  barriers.place()
  k.close()
}

/** The module around a body. @param write of a workgroup; `lane` is a thread's number in it */
function shader(
  k: WgslWriter,
  size: number,
  groups: number,
  { maxWorkgroupsPerDimension: most }: Limits,
  write: (group: string) => void,
): Shader {
  const across = Math.min(groups, most)
  const down = Math.ceil(groups / across)
  // The last row of workgroups may be longer than what is left to do.
  if (down > 1) {
    k.line(`let team = group.x + group.y * ${across}u;`)
    k.open(`if (team < ${groups}u)`)
  }
  write(down > 1 ? 'team' : 'group.x')
  if (down > 1) k.close()
  const words = Math.ceil(k.slots.length / 4)
  const wgsl = [
    '@group(0) @binding(0) var<storage, read_write> arena: array<u32>;',
    ...(words > 0 ? [`@group(0) @binding(1) var<uniform> at: array<vec4<u32>, ${words}>;`] : []),
    ...k.shared,
    '',
    ...functionsText(k.functions).flatMap((text) => [text, '']),
    `@compute @workgroup_size(${size})`,
    'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
    ...k.slots.map((_, i) => `  let o${i} = at[${i >> 2}].${'xyzw'[i & 3]};`),
    k.text,
    '}',
    '',
  ].join('\n')
  return { wgsl, workgroups: [across, down, 1], slots: k.slots }
}

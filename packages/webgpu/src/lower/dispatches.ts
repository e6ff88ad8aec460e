/** Module → dispatches: every buffer gets a place, every kernel its text, and every launch its words. */
import { FepError, type Tensor } from '@fep-moe/core'
import {
  type Buffer,
  lifetimesOf,
  type Placement,
  placeBuffers,
  type TimedStage,
} from '@fep-moe/core/lowering'
import { bitsOf } from '../emit/literal.js'
import { blockShader, kernelShader, type Limits, type Shader } from '../emit/shader.js'
import type { Dispatch, DispatchProgram, Port } from '../ir/dispatch-program.js'
import {
  type Block,
  buffersOf,
  type Edge,
  type Kernel,
  kernelsOf,
  type Module,
  type Stage,
} from '../ir/module.js'

/** Every buffer starts a vector of four words. */
const ALIGNMENT = 4

/** Words a buffer takes, rounded up. */
export const wordsOf = ({ length }: Buffer): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT

/** A recurrence in one kernel touches its buffers all the time. */
const timed = (stage: Stage): TimedStage =>
  stage.kind === 'loop'
    ? { kind: 'loop', body: stage.body.map(timed) }
    : { kind: 'kernel', buffers: buffersOf([stage]) }

/** Places the buffers of a module. Inputs and constants are there before the first dispatch, constants for ever. */
export function placeModule(
  module: Module,
): Placement & { readonly lifetimes: ReturnType<typeof lifetimesOf> } {
  const { stages, inputs, constants, outputs } = module
  const lifetimes = lifetimesOf({
    stages: stages.map(timed),
    results: outputs.map(({ view }) => view.buffer),
    given: inputs.map(({ view }) => view.buffer),
    always: constants.map(({ buffer }) => buffer),
    owns: () => true,
  })
  return { ...placeBuffers(lifetimes, wordsOf), lifetimes }
}

/** The program of a module. @param mostCost scalar operations of one dispatch, as far as work can be split */
export function dispatchesOf(
  module: Module,
  limits: Limits & { readonly mostCost: number },
): DispatchProgram {
  const { size, offsets } = placeModule(module)
  const place = (buffer: Buffer) => offsets.get(buffer) as number
  const port = ({ name, dtype, shape, view }: Edge): Port => {
    const count = shape.reduce((n, dim) => n * dim, 1)
    return { name, dtype, shape, offset: place(view.buffer) + view.offset, count }
  }
  return {
    name: module.name,
    arenaWords: Math.max(size, ALIGNMENT),
    constants: module.constants.map(({ buffer, data }) => ({ offset: place(buffer), data: wordsFrom(data) })),
    inputs: module.inputs.map(port),
    outputs: module.outputs.map(port),
    dispatches: new Launches(place, limits).all(module.stages, new Map()),
  }
}

/** Elements as words. */
function wordsFrom(data: Tensor['data']): Uint32Array {
  if (data instanceof Float32Array) return Uint32Array.from(data, bitsOf)
  return Uint32Array.from(data, (value) => value >>> 0)
}

/** Values of variables that the host counts. */
type Variables = ReadonlyMap<string, number>

/** Writes launches; a kernel that is launched more than once is written once. */
class Launches {
  private readonly shaders = new Map<Kernel | Block, Shader>()

  constructor(
    private readonly place: (buffer: Buffer) => number,
    private readonly limits: Limits & { readonly mostCost: number },
  ) {}

  all(stages: readonly Stage[], variables: Variables): Dispatch[] {
    return stages.flatMap((stage) => {
      if (stage.kind === 'kernel') return this.kernel(stage, variables)
      if (stage.kind === 'block') return this.block(stage)
      return Array.from({ length: stage.steps }, (_, step) => {
        const t = stage.reverse ? stage.steps - 1 - step : step
        return this.all(stage.body, new Map([...variables, [stage.variable, t]]))
      }).flat()
    })
  }

  private kernel(kernel: Kernel, variables: Variables): Dispatch[] {
    const shader = this.shader(kernel, () => kernelShader(kernel, this.limits))
    const cost = kernel.items * kernel.cost
    if (kernel.steps === undefined) return [this.launch(kernel.label, shader, cost, variables)]
    return this.split(kernel.label, shader, kernel.steps, cost / kernel.steps, variables)
  }

  private block(block: Block): Dispatch[] {
    const shader = this.shader(block, () => blockShader(block, this.limits))
    const ofStep = kernelsOf(block.loop.body).reduce((n, { items, cost }) => n + items * cost, 0) * block.rows
    return this.split(block.label, shader, block.loop.steps, ofStep, new Map())
  }

  /** As many steps per launch as `mostCost` allows. */
  private split(
    label: string,
    shader: Shader,
    steps: number,
    ofStep: number,
    variables: Variables,
  ): Dispatch[] {
    const most = Math.max(1, Math.floor(this.limits.mostCost / Math.max(ofStep, 1)))
    return Array.from({ length: Math.ceil(steps / most) }, (_, part) => {
      const [start, stop] = [part * most, Math.min((part + 1) * most, steps)]
      const own = new Map([...variables, ['start', start], ['stop', stop]] as const)
      return this.launch(label, shader, (stop - start) * ofStep, own)
    })
  }

  private launch(
    label: string,
    { wgsl, workgroups, slots }: Shader,
    cost: number,
    variables: Variables,
  ): Dispatch {
    const words = new Uint32Array(Math.ceil(slots.length / 4) * 4)
    slots.forEach(({ buffer, offset, steps }, i) => {
      const moved = steps.reduce(
        (n, { variable, stride }) => n + stride * (variables.get(variable) as number),
        0,
      )
      words[i] = (buffer ? this.place(buffer) : 0) + offset + moved
    })
    return { label, wgsl, workgroups, words, cost }
  }

  private shader(stage: Kernel | Block, write: () => Shader): Shader {
    const shader = this.shaders.get(stage) ?? write()
    this.shaders.set(stage, shader)
    const [, down] = shader.workgroups
    if (down > this.limits.maxWorkgroupsPerDimension)
      throw new FepError(
        'FEP_BACKEND_FAILED',
        `${stage.label} needs ${down} rows of workgroups; the device has at most ${this.limits.maxWorkgroupsPerDimension}`,
      )
    return shader
  }
}

/** A graph compiled to a function, with the memory it works in. */
import {
  type Feeds,
  FepError,
  type Graph,
  type HostFetches,
  hostTensor,
  type ProgramImplementation,
  type Tensor,
} from '@fep-moe/core'
import { usesSpace } from './emit/module-text.js'
import type { Module } from './ir/module.js'
import { packPanels } from './matvec/panels.js'
import { openSpace, type Space } from './matvec/space.js'
import type { Plan } from './plan.js'
import { runtime } from './runtime.js'
import { generate } from './to-javascript.js'

/** What generated code returns. */
interface Generated {
  /** Leaves every result in its array. */
  run(feeds: Feeds): void
  readonly results: Readonly<Record<string, Tensor['data']>>
}

/**
 * Compiles a graph of primitives with numeric shapes.
 *
 * Results are computed in the program's own memory and copied out last. So a preallocated result may share memory with a
 * feed, a result that is not asked for costs no copy, and what one run returned is never touched by the next.
 * @throws FEP_BACKEND_FAILED where the environment forbids code made from strings
 */
export function compileProgram(graph: Graph): ProgramImplementation {
  const { module, plan, text } = generate(graph)
  const { outputs } = module
  const space = usesSpace(module) ? openSpace(plan.bytes) : undefined
  const { run, results } = instantiate(module, plan, text, space)
  return {
    artifact: { format: 'javascript', data: text },
    run: (feeds: Feeds) => {
      run(feeds)
      return Object.fromEntries(
        outputs.map(({ name, dtype, shape }) => {
          const data = (results[name] as Tensor['data']).slice() as Tensor['data']
          return [name, hostTensor({ dtype, shape: [...shape], data })]
        }),
      )
    },
    runInto: (feeds: Feeds, out: HostFetches) => {
      run(feeds)
      for (const name in out) copy(results[name] as Float32Array, (out[name] as Tensor).data as Float32Array)
    },
    dispose: () => space?.release(),
  }
}

/** Below this many elements a loop is faster than `set`. */
const SHORT = 64

function copy(from: Float32Array, to: Float32Array): void {
  if (from.length > SHORT) to.set(from)
  else for (let i = 0; i < from.length; i++) to[i] = from[i] as number
}

type Make = (given: typeof runtime, constants: readonly Tensor['data'][], space?: Space) => Generated

function instantiate({ constants, matrices }: Module, plan: Plan, text: string, space?: Space): Generated {
  try {
    if (space)
      for (const { buffer, matrix, data } of matrices) {
        const address = space.base + (plan.offsets.get(buffer) as number)
        packPanels(matrix, data, new Float64Array(space.memory, address, buffer.length))
      }
    const make = functionOf(text)
    return make(
      runtime,
      constants.map(({ data }) => data),
      space,
    )
  } catch (error) {
    space?.release()
    throw error
  }
}

function functionOf(text: string): Make {
  try {
    return new Function('runtime', 'constants', 'space', text) as Make
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new FepError('FEP_INTERNAL', `generated code does not parse: ${cause.message}`, { cause })
    throw new FepError(
      'FEP_BACKEND_FAILED',
      "backend 'js' makes functions from generated code, which this environment does not allow (a content security policy without 'unsafe-eval'); allow it or use another backend",
      { cause },
    )
  }
}

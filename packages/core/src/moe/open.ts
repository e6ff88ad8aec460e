/** A layer for many runs: parameters and state become part of its programs. */
import type { Backend, Fetches } from '../backend/contract.js'
import { FepError } from '../errors.js'
import type { Params } from '../gates/parameters.js'
import { bindParameters } from '../gates/serving.js'
import type { Graph } from '../graph/types.js'
import type { Tensor } from '../tensor.js'
import type { ResolvedMoeLayer } from './config.js'
import { keyOf, type MoeLayerInputs, runFitting } from './feeds.js'
import type { MoeLayerForm } from './graph.js'
import type { MoeLayerDetails, OpenMoeLayer } from './layer.js'
import { RowLadder } from './rows.js'

/** Up to 1 GiB of parameters are part of a program. A format's limit is 2 GiB; above, they are fed. */
export const LARGEST_BOUND = 2 ** 28

export { openStream } from '../gates/serving.js'

/** Programs that are kept: each holds the parameters. */
const PROGRAMS = 4

interface Opened {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Fetches>
  dispose(): void
}

/** @internal */
export async function openMoeLayer(
  model: ResolvedMoeLayer,
  graph: (form: MoeLayerForm) => Graph,
  backend: Backend,
  fixed: Params,
): Promise<OpenMoeLayer> {
  const params = Object.fromEntries(
    Object.entries(fixed).map(([name, t]) => [name, { ...t, data: t.data.slice() as Tensor['data'] }]),
  )
  const ladder = new RowLadder()
  const programs = new Map<string, Promise<Opened>>()
  let disposed = false
  const open = async (form: MoeLayerForm): Promise<Opened> => {
    const bound = await bindParameters(backend, graph(form), params, LARGEST_BOUND)
    const program = await backend.compile(bound.graph)
    return {
      run: (feeds) => program.run({ ...bound.feeds, ...feeds } as never),
      dispose: () => {
        program.dispose()
        bound.dispose()
      },
    }
  }
  const forget = (key: string) => {
    const program = programs.get(key)
    programs.delete(key)
    void program?.then(
      (p) => p.dispose(),
      () => undefined,
    )
  }
  const programOf = (form: MoeLayerForm): Promise<Opened> => {
    const key = keyOf(form)
    const program = programs.get(key) ?? open(form)
    programs.delete(key)
    programs.set(key, program)
    program.catch(() => programs.delete(key))
    if (programs.size > PROGRAMS) forget(programs.keys().next().value as string)
    return program
  }
  const run = async (
    x: Tensor,
    { details = false, ...inputs }: MoeLayerInputs & { readonly details?: boolean } = {},
  ): Promise<MoeLayerDetails> => {
    if (disposed) throw new FepError('FEP_DISPOSED', 'this layer was disposed; open it again')
    return runFitting(model, ladder, x, inputs, async (form, feeds) =>
      (await programOf({ ...form, details })).run(feeds),
    )
  }
  const dispose = async () => {
    disposed = true
    for (const key of [...programs.keys()]) forget(key)
  }
  return { run, dispose, [Symbol.asyncDispose]: dispose }
}

/** Backends that are wrong in one way each. The suite is worth what it finds. */
import {
  type Backend,
  type BackendImplementation,
  type Capabilities,
  type DeviceTensor,
  defineBackend,
  type Graph,
  hostTensor,
  makeArray,
  type NdArray,
  type OpName,
  type Primitive,
  type PrimitiveName,
  type Program,
  primitives,
  type Tensor,
} from '@fep-moe/core'

type Eval = (
  exact: () => readonly NdArray[],
  inputs: readonly NdArray[],
  attrs: Readonly<Record<string, unknown>>,
) => readonly NdArray[]

const CAPABILITIES: Capabilities = {
  dtypes: ['float32', 'int32', 'bool'],
  composites: [],
  unsupported: [],
  sync: false,
  hostTensors: true,
  symbolicBatch: false,
  device: 'cpu',
  precision: 'float32',
  accuracy: {},
  nonFinite: { policy: 'ieee', except: {} },
}

/** The reference, with the evaluation of some operators replaced. */
export function mutant(
  evals: Partial<Record<PrimitiveName, Eval>>,
  capabilities: Partial<Capabilities> = {},
  hooks: Partial<Pick<BackendImplementation, 'compile'>> = {},
): Backend {
  const evaluate = (graph: Graph, feeds: Readonly<Record<string, NdArray>>): Record<string, NdArray> => {
    const values = new Map<string, NdArray>(graph.inputs.map((name) => [name, feeds[name] as NdArray]))
    for (const node of graph.nodes) {
      const rule = primitives[node.op as PrimitiveName] as Primitive<PrimitiveName>
      const inputs = node.inputs.map((name) => values.get(name) as NdArray)
      const types = node.outputs.map(
        (name) => graph.values[name] as { dtype: NdArray['dtype']; shape: number[] },
      )
      const exact = () =>
        rule.eval(inputs, node.attrs as never, types, {
          make: (dtype, shape) => makeArray(dtype, shape, 'float32'),
          call: (body, given) => {
            const inner = evaluate(
              body,
              Object.fromEntries(body.inputs.map((n, i) => [n, given[i] as NdArray])),
            )
            return body.outputs.map(({ name }) => inner[name] as NdArray)
          },
        })
      const results = evals[node.op as PrimitiveName]?.(exact, inputs, node.attrs as never) ?? exact()
      node.outputs.forEach((name, i) => values.set(name, results[i] as NdArray))
    }
    return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, values.get(value) as NdArray]))
  }
  return defineBackend({
    name: 'mutant',
    capabilities: { ...CAPABILITIES, ...capabilities },
    compile: (graph) => ({
      run: (feeds) =>
        Object.fromEntries(
          Object.entries(evaluate(graph, feeds as Record<string, Tensor>)).map(([name, t]) => [
            name,
            hostTensor({ ...t, data: t.data.slice() as Tensor['data'] }),
          ]),
        ),
      dispose: () => undefined,
    }),
    dispose: () => undefined,
    ...hooks,
  })
}

/** Every result off by a little: 1e-4 of its value, one, or the opposite. */
export const slightlyOff = (op: PrimitiveName): Backend =>
  mutant({
    [op]: (exact: () => readonly NdArray[]) =>
      exact().map((t): NdArray => {
        const data = t.data.slice()
        for (let i = 0; i < data.length; i++) {
          const v = data[i] as number
          data[i] = t.dtype === 'bool' ? 1 - v : t.dtype === 'int32' ? v + 1 : v * 1.0001 + 1e-5
        }
        return { ...t, data: data as NdArray['data'] }
      }),
  })

/** A linear scan that takes every decay from the last step. */
export const deafToResets = (): Backend =>
  mutant({
    LinearScan: (exact, [a, b, h0], attrs) => {
      const { shape, data } = a as NdArray
      const [d, steps] = shape as [number, number]
      if (steps === 1 || attrs.axis !== 1 || shape.length !== 3) return exact()
      const width = data.length / (d * steps)
      const last = data.map((_, i) => {
        const row = Math.floor(i / (steps * width))
        return data[(row * steps + steps - 1) * width + (i % width)] as number
      })
      const constant = { ...(a as NdArray), data: last as NdArray['data'] }
      const types = exact().map((t) => ({ dtype: t.dtype, shape: t.shape }))
      return primitives.LinearScan.eval([constant, b as NdArray, h0 as NdArray], attrs as never, types, {
        make: (dtype, of) => makeArray(dtype, of, 'float32'),
        call: () => [],
      })
    },
  })

const elementwise =
  (f: (...args: number[]) => number): Eval =>
  (exact, inputs) =>
    exact().map((t) => {
      // Same shapes only: broadcasting cases stay right, so that the others have to find it.
      if (inputs.some((x) => x.data.length !== t.data.length)) return t
      const data = t.data.slice()
      for (let i = 0; i < data.length; i++) data[i] = f(...inputs.map((x) => x.data[i] as number))
      return { ...t, data: data as NdArray['data'] }
    })

/** Mistakes that real executors make. */
export const MISTAKES: Readonly<Record<string, { readonly op: OpName; readonly backend: () => Backend }>> = {
  'top-k takes the higher index at a tie': {
    op: 'TopK',
    backend: () =>
      mutant({
        TopK: (exact, [x]) => {
          const [values, indices] = exact() as [NdArray, NdArray]
          if ((x as NdArray).shape.length > 1) return [values, indices]
          const from = Array.from((x as NdArray).data)
          const order = from
            .map((_, i) => i)
            .sort((a, b) => (from[b] as number) - (from[a] as number) || b - a)
          return [values, { ...indices, data: Int32Array.from(indices.data, (_, k) => order[k] as number) }]
        },
      }),
  },
  'cast to integers rounds': {
    op: 'Cast',
    backend: () =>
      mutant({
        Cast: (exact, [x], { to }) =>
          to === 'int32'
            ? exact().map((t) => ({ ...t, data: Int32Array.from((x as NdArray).data, Math.round) }))
            : exact(),
      }),
  },
  'integer division floors': {
    op: 'Div',
    backend: () =>
      mutant({
        Div: (exact, inputs, attrs) =>
          inputs[0]?.dtype === 'int32'
            ? elementwise((a, b) => Math.floor((a as number) / (b as number)))(exact, inputs, attrs)
            : exact(),
      }),
  },
  'tanh overflows': {
    op: 'Tanh',
    backend: () =>
      mutant({
        Tanh: elementwise((x) => (Math.abs(x as number) > 88 ? Number.NaN : Math.tanh(x as number))),
      }),
  },
  'sigmoid overflows': {
    op: 'Sigmoid',
    backend: () =>
      mutant({ Sigmoid: elementwise((x) => Math.exp(x as number) / (1 + Math.exp(x as number))) }),
  },
  'a sum stops at 256 elements': {
    op: 'ReduceSum',
    backend: () =>
      mutant({
        ReduceSum: (exact, [x]) =>
          exact().map((t) =>
            (x as NdArray).data.length > 256 * t.data.length
              ? { ...t, data: t.data.map((v) => v * 0.99) as NdArray['data'] }
              : t,
          ),
      }),
  },
  'elements past 256 are not written': {
    op: 'Mul',
    backend: () =>
      mutant({
        Mul: (exact) =>
          exact().map((t) => ({ ...t, data: t.data.map((v, i) => (i < 256 ? v : 0)) as NdArray['data'] })),
      }),
  },
  'a linear scan forgets its initial state': {
    op: 'LinearScan',
    backend: () =>
      mutant({
        LinearScan: (exact, [a, b, h0], { reverse }) => {
          if (!reverse && (h0 as NdArray).data.every((v) => v === 0)) return exact()
          const zero = { ...(h0 as NdArray), data: new Float32Array((h0 as NdArray).data.length) }
          return primitives.LinearScan.eval(
            [a as NdArray, b as NdArray, zero],
            { axis: 1, reverse: reverse as boolean },
            exact().map(({ dtype, shape }) => ({ dtype, shape })),
            {
              make: (dtype, shape) => makeArray(dtype, shape, 'float32'),
              call: () => [],
            },
          )
        },
      }),
  },
  'scatter overwrites instead of adding': {
    op: 'ScatterND',
    backend: () =>
      mutant({
        ScatterND: (exact, [, at, updates]) =>
          exact().map((t) => {
            const data = t.data.slice()
            const width = (updates as NdArray).data.length / Math.max((at as NdArray).data.length, 1)
            if (width === 1)
              (at as NdArray).data.forEach((row: number, k: number) => {
                data[row < 0 ? row + data.length : row] = (updates as NdArray).data[k] as number
              })
            return { ...t, data: data as NdArray['data'] }
          }),
      }),
  },
  'gather clamps negative indices': {
    op: 'Gather',
    backend: () =>
      mutant({
        Gather: (exact, [x, at], { axis }) =>
          (at as NdArray).data.some((i: number) => i < 0) && axis === 0
            ? exact().map((t) => ({
                ...t,
                data: t.data.map((_, i) => (x as NdArray).data[i % 2] as number) as NdArray['data'],
              }))
            : exact(),
      }),
  },
  'grouped products leave rows past the last group undefined': {
    op: 'GroupedMatMul',
    backend: () =>
      mutant({
        GroupedMatMul: (exact, [x, , offsets], { mode }) =>
          exact().map((t) => {
            const [rows, used] = [
              (x as NdArray).shape[0] as number,
              (offsets as NdArray).data.at(-1) as number,
            ]
            if (mode !== 'forward' || used === rows) return t
            const data = t.data.slice()
            data.fill(7, (used * data.length) / rows)
            return { ...t, data: data as NdArray['data'] }
          }),
      }),
  },
}

type Misbehavior = { readonly foundBy: string; readonly misbehave: (backend: Backend) => Backend }

const withPrograms =
  (change: (program: Program) => Partial<Program>) =>
  (backend: Backend): Backend => ({
    ...backend,
    compile: async (graph) => {
      const program = await backend.compile(graph)
      return { ...program, ...change(program) }
    },
  })

const kept: unknown[] = []

/** A correct backend whose programs or results misbehave, and the case that says so. */
export const MISBEHAVIORS: Readonly<Record<string, Misbehavior>> = {
  'accepts bad feeds': {
    foundBy: 'lifecycle/bad-feeds/missing',
    misbehave: withPrograms((program) => ({
      run: (feeds) =>
        program
          .run(feeds)
          .catch(() => ({ y: hostTensor({ dtype: 'float32', shape: [2], data: new Float32Array(2) }) })),
    })),
  },
  'reuses the memory of its results': {
    foundBy: 'lifecycle/runs/results-stay-valid',
    misbehave: withPrograms((program) => {
      const memory = new Map<string, Tensor>()
      const keep = ([name, t]: [string, DeviceTensor]) => {
        const fresh: Tensor = { dtype: t.dtype, shape: t.shape, data: t.readSync?.() as Tensor['data'] }
        const own = memory.get(name) ?? fresh
        own.data.set(fresh.data as Float32Array)
        memory.set(name, own)
        return [name, hostTensor(own)] as const
      }
      return { run: async (feeds) => Object.fromEntries(Object.entries(await program.run(feeds)).map(keep)) }
    }),
  },
  'keeps every result': {
    foundBy: 'lifecycle/runs/2000-without-growth',
    misbehave: withPrograms((program) => ({
      run: async (feeds) => {
        const results = await program.run(feeds)
        kept.push(results)
        return results
      },
    })),
  },
  'runs after dispose': {
    foundBy: 'lifecycle/program/run-after-dispose',
    misbehave: withPrograms(() => ({ dispose: () => undefined })),
  },
  'does not serialize runs': {
    foundBy: 'lifecycle/runs/one-program-concurrently',
    misbehave: withPrograms((program) => {
      let turn = 0
      return {
        run: async (feeds) => {
          // Every second run takes longer than the one after it.
          if (turn++ % 2 === 0) for (let i = 0; i < 50; i++) await Promise.resolve()
          return program.run(feeds)
        },
      }
    }),
  },
  'compiles anything': {
    foundBy: 'lifecycle/invalid-graph/an-unknown-operator',
    misbehave: (backend) => ({
      ...backend,
      compile: (graph) => backend.compile(graph).catch(() => ({ dispose: () => undefined }) as never),
    }),
  },
  'lets its capabilities be changed': {
    foundBy: 'lifecycle/capabilities/frozen-json',
    misbehave: (backend) => ({ ...backend, capabilities: { ...backend.capabilities } }),
  },
}

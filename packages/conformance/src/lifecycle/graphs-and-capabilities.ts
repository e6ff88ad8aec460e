/** What a backend says of itself, and how it takes graphs that are unusual or wrong. */
import { composites, type Graph, isComposite, ops, primitives, type Value } from '@fep-moe/core'
import { graphOf } from '../frame/build.js'
import { f } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { lifecycleCase, withProgram } from './case.js'
import { affine } from './graphs.js'

const vector = { dtype: 'float32', shape: [2] } as const

/** A correct graph made wrong. */
function broken(change: (graph: Graph) => Graph): Graph {
  return change(graphOf('broken', { x: vector }, ({ x }) => ({ y: ops.exp(ops.neg(x)) })))
}

const [first, rest] = [(g: Graph) => g.nodes[0] as Graph['nodes'][number], (g: Graph) => g.nodes.slice(1)]

const INVALID: Readonly<Record<string, () => Graph>> = {
  'an-undefined-operand': () =>
    broken((g) => ({ ...g, nodes: [{ ...first(g), inputs: ['nothing'] } as never, ...rest(g)] })),
  'an-unknown-operator': () =>
    broken((g) => ({ ...g, nodes: [{ ...first(g), op: 'Frobnicate' } as never, ...rest(g)] })),
  'nodes-out-of-order': () => broken((g) => ({ ...g, nodes: [...g.nodes].reverse() })),
  'a-value-defined-twice': () => broken((g) => ({ ...g, nodes: [...g.nodes, first(g)] })),
  'a-wrong-declared-shape': () =>
    broken((g) => ({
      ...g,
      values: { ...g.values, [g.outputs[0]?.value as string]: { dtype: 'float32', shape: [3] } },
    })),
  'a-wrong-declared-dtype': () =>
    broken((g) => ({
      ...g,
      values: { ...g.values, [g.outputs[0]?.value as string]: { dtype: 'int32', shape: [2] } },
    })),
  'an-output-of-nothing': () => broken((g) => ({ ...g, outputs: [{ name: 'y', value: 'nothing' }] })),
  'an-output-twice': () => broken((g) => ({ ...g, outputs: [...g.outputs, ...g.outputs] })),
  'a-scan-body-that-mixes-rows': () => {
    const matrix = { dtype: 'float32', shape: [2, 2] } as const
    const mixing = graphOf('mixing', { h: matrix, x: matrix }, ({ h, x }) => ({
      h: ops.add(ops.permute(h), x),
    }))
    const scan = (batchAxis: number | null) =>
      graphOf('rows', { h: matrix, xs: { dtype: 'float32', shape: [2, 3, 2] } }, ({ h, xs }) => ({
        h: ops.scan(mixing, { init: [h], xs: [xs] }, { axis: 1, batchAxis }).last[0] as Value,
      }))
    const graph = scan(null)
    return {
      ...graph,
      nodes: graph.nodes.map((n) => (n.op === 'Scan' ? { ...n, attrs: { ...n.attrs, batchAxis: 0 } } : n)),
    }
  },
}

const isFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isFrozen))

export const graphsAndCapabilities = [
  ...Object.entries(INVALID).map(([what, graph]) =>
    lifecycleCase(`invalid-graph/${what}`, async (probe) => {
      await probe.rejects('FEP_BAD_GRAPH', `compiling ${what}`, () => probe.backend.compile(graph()))
    }),
  ),
  lifecycleCase('graph/an-input-as-output', async (probe) => {
    await withProgram(
      probe,
      graphOf('same', { x: vector }, ({ x }) => ({ x: x, again: x })),
      async (program) => {
        const x = f([1, 2])
        const fetched = await program.run({ x })
        x.data.fill(9)
        await probe.compare('x', probe.present('x', fetched.x), f([1, 2]))
        await probe.compare('again', probe.present('again', fetched.again), f([1, 2]))
      },
    )
  }),
  lifecycleCase('graph/one-value-under-two-names', async (probe) => {
    const graph = graphOf('twice', { x: vector }, ({ x }) => {
      const y = ops.neg(x)
      return { a: y, b: y }
    })
    await withProgram(probe, graph, async (program) => {
      const { a, b } = await program.run({ x: f([1, 2]) })
      a?.dispose()
      await probe.compare('b', probe.present('b', b), f([-1, -2]))
    })
  }),
  lifecycleCase('graph/only-constants', async (probe) => {
    const graph = graphOf('literal', { x: vector }, ({ x }) => ({ y: x.builder.constant([3, 4], [2]) }))
    await withProgram(probe, graph, async (program) => {
      const [one, two] = [await program.run({ x: f([0, 0]) }), await program.run({ x: f([1, 1]) })]
      one.y?.dispose()
      await probe.compare('y', probe.present('y', two.y), f([3, 4]))
    })
  }),
  lifecycleCase('graph/an-unused-input', async (probe) => {
    await withProgram(
      probe,
      graphOf('unused', { x: vector, unused: vector }, ({ x }) => ({ y: ops.neg(x) })),
      async (program) => {
        await probe.compare(
          'y',
          probe.present('y', (await program.run({ x: f([1, 2]), unused: f([0, 0]) })).y),
          f([-1, -2]),
        )
        await probe.rejects('FEP_BAD_FEED', 'a run without the unused input', () =>
          program.run({ x: f([1, 2]) }),
        )
      },
    )
  }),
  lifecycleCase('graph/names-with-slashes-and-dots', async (probe) => {
    const graph = graphOf('names', { 'W.weight': vector, 'state/memory': vector }, (v) => ({
      'grad/W.weight': ops.add(v['W.weight'], v['state/memory']),
    }))
    await withProgram(probe, graph, async (program) => {
      const fetched = await program.run({ 'W.weight': f([1, 2]), 'state/memory': f([10, 20]) })
      await probe.compare(
        'grad/W.weight',
        probe.present('grad/W.weight', fetched['grad/W.weight']),
        f([11, 22]),
      )
    })
  }),
  lifecycleCase('graph/program-keeps-the-graph-and-shows-its-artifact', async (probe) => {
    const graph = affine(2)
    await withProgram(probe, graph, async ({ graph: kept, artifact }) => {
      probe.check(kept === graph, 'program.graph must be the graph that was compiled')
      const { format, data } = artifact ?? { format: 'none', data: 'none' }
      probe.check(format.length > 0 && data.length > 0, 'an artifact must have a format and data')
    })
  }),
  lifecycleCase('capabilities/frozen-json', async (probe) => {
    const { capabilities } = probe.backend
    probe.check(isFrozen(capabilities), 'capabilities must be deeply frozen')
    const copy = JSON.stringify(JSON.parse(JSON.stringify(capabilities)))
    probe.check(copy === JSON.stringify(capabilities), 'capabilities must survive JSON')
  }),
  lifecycleCase('capabilities/known-values', checkCapabilities),
  lifecycleCase('capabilities/results-match-host-tensors', (probe) =>
    withProgram(probe, affine(2), async (program) => {
      const { y } = await program.run({ x: f([1, 2]), c: f([3]) })
      const { hostTensors } = probe.backend.capabilities
      probe.check(
        !hostTensors || typeof y?.readSync === 'function',
        'hostTensors is true, so results must have readSync',
      )
      if (y?.readSync) await probe.compare('y', { ...f([0, 0]), data: y.readSync() }, f([5, 7]))
    }),
  ),
]

async function checkCapabilities(probe: Probe): Promise<void> {
  const { name, specVersion, capabilities: c } = probe.backend
  const known = (names: readonly string[]) => names.every((op) => op in primitives || op in composites)
  probe.check(typeof name === 'string' && name.length > 0, 'a backend has a name')
  probe.check(specVersion === 1, 'specVersion must be 1')
  probe.check(
    c.dtypes.includes('float32') && new Set(c.dtypes).size === c.dtypes.length,
    'dtypes must hold float32, and no dtype twice',
  )
  probe.check(
    c.composites.every((op) => isComposite(op)),
    'composites may list composite operators only',
  )
  probe.check(known(c.unsupported), 'unsupported may list known operators only')
  probe.check(known(Object.keys(c.accuracy)), 'accuracy may be declared for known operators only')
  for (const [op, a] of Object.entries(c.accuracy)) {
    probe.check(
      a.source.length > 0 && (a.ulp ?? 0) >= 0 && (a.absolute ?? 0) >= 0,
      `the accuracy of ${op} needs a source and figures >= 0`,
    )
  }
  probe.check(['cpu', 'gpu', 'software-gpu'].includes(c.device), `device is ${c.device}`)
  probe.check(['float32', 'float64'].includes(c.precision), `precision is ${c.precision}`)
  for (const flag of ['sync', 'hostTensors', 'symbolicBatch'] as const) {
    probe.check(typeof c[flag] === 'boolean', `${flag} must be true or false`)
  }
}

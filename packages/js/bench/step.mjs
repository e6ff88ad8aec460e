// One token through a gate with memory and additive anticipation: p50 in µs of runInto alone, and of a stream's step, on
// generated JavaScript and on the reference. In turn, so that what else the machine does falls on all of them alike.
// Build first (`npx tsc -b packages/js`), then: node packages/js/bench/step.mjs
import { createGate, referenceBackend, tensor, zeros } from '@fep-moe/core'
import { jsBackend } from '../dist/index.js'

const ROUNDS = 60
const BLOCK = 50
const SIZES = [
  { dim: 16, experts: 4 },
  { dim: 64, experts: 8 },
]

const ramp = (shape) => {
  const data = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(i + 1))
  return tensor(data, shape)
}

async function subjectsOf({ dim, experts }) {
  const gate = createGate({
    dim,
    experts,
    memory: { kind: 'leaky' },
    anticipation: { kind: 'additive' },
    select: { kind: 'top-k', k: 2 },
  })
  const params = gate.init({ seed: 1 })
  const graph = gate.graph({ steps: 1, state: true })
  const subjects = []
  for (const make of [jsBackend, referenceBackend]) {
    const backend = await make()
    const program = await backend.compile(graph)
    const feeds = { ...params, x: ramp([1, 1, dim]), 'state/memory': zeros([1, dim]) }
    const out = {}
    for (const [name, t] of Object.entries(await program.run(feeds))) {
      out[name] = { dtype: t.dtype, shape: t.shape, data: t.readSync().slice() }
    }
    const stream = await gate.stream(backend, params)
    const token = ramp([1, dim])
    subjects.push({ name: `${backend.name} runInto`, run: () => program.runInto(feeds, out), times: [] })
    subjects.push({ name: `${backend.name} stream.step`, run: () => stream.step(token), times: [] })
  }
  return subjects
}

const p50 = (times) => times.sort((a, b) => a - b)[times.length >> 1]

for (const size of SIZES) {
  const subjects = await subjectsOf(size)
  for (let round = -10; round < ROUNDS; round++) {
    for (const { run, times } of subjects) {
      for (let i = 0; i < BLOCK; i++) {
        const started = process.hrtime.bigint()
        const pending = run()
        if (pending) await pending
        const us = Number(process.hrtime.bigint() - started) / 1000
        if (round >= 0) times.push(us)
      }
    }
  }
  const cells = subjects.map(({ name, times }) => `${name} ${p50(times).toFixed(1)}`)
  console.log(`d ${size.dim}, E ${size.experts}: ${cells.join('; ')} µs`)
}

// Times every form of a LinearScan, forward and reversed adjoint, and prints them against the form that is chosen.
// Processor time of one thread, so that other work on the machine matters little.
// Build first (`npm run build`), then: node packages/onnx/bench/linear-scan.mjs [--quick]
import { GraphBuilder, ops } from '@fep-moe/core'
import * as ort from 'onnxruntime-node'
import { chooseLinearScan } from '../dist/linear-scan/choose.js'
import { buildModel } from '../dist/to-onnx.js'

const ROUNDS = process.argv.includes('--quick') ? 2 : 5
const BUDGET_MS = process.argv.includes('--quick') ? 60 : 400
const DEFAULT_HINT = 32

/** Lanes, steps, columns; `constant`: a does not change over time. */
const shapes = [
  { d: 16, T: 11, B: 512 },
  { d: 64, T: 63, B: 256 },
  { d: 16, T: 63, B: 1 },
  { d: 64, T: 64, B: 8 },
  { d: 16, T: 128, B: 8 },
  { d: 16, T: 128, B: 64 },
  { d: 64, T: 128, B: 256 },
  { d: 16, T: 4096, B: 8 },
  { d: 64, T: 1024, B: 8 },
  { d: 16, T: 512, B: 128 },
  { d: 64, T: 512, B: 32 },
  { d: 256, T: 512, B: 8 },
  { d: 512, T: 1024, B: 8 },
]

/** h forward, then the adjoint of h run backward over the same `a`, as a gradient does. */
function graphOf({ d, T, B }) {
  const builder = new GraphBuilder('linear-scan')
  const a = builder.input('a', 'float32', [d, 1, 1])
  const b = builder.input('b', 'float32', [d, T, B])
  const forward = ops.linearScan(a, b, 0, { axis: 1 })
  const backward = ops.linearScan(a, forward.h, 0, { axis: 1, reverse: true })
  builder.output('last', backward.last)
  return builder.build()
}

async function sessionOf(shape, form) {
  const { bytes } = buildModel(graphOf(shape), { threads: 1, linearScan: form })
  const started = performance.now()
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 }
  const session = await ort.InferenceSession.create(bytes, options)
  return { form, session, createMs: performance.now() - started, times: [] }
}

function feedsOf({ d, T, B }) {
  const a = Float32Array.from({ length: d }, (_, i) => 0.5 + (0.49 * i) / d)
  const b = Float32Array.from({ length: d * T * B }, (_, i) => Math.sin(i * 1.7))
  return { a: new ort.Tensor('float32', a, [d, 1, 1]), b: new ort.Tensor('float32', b, [d, T, B]) }
}

const median = (list) => list.sort((x, y) => x - y)[list.length >> 1]

for (const shape of shapes) {
  const { d, T, B } = shape
  const chosen = chooseLinearScan({ a: [d, 1, 1], b: [d, T, B], axis: 1, batchHint: DEFAULT_HINT })
  const forms = T <= 256 ? ['product', 'scan', ...(T > 64 ? ['chunks'] : [])] : ['chunks', 'scan']
  const runs = []
  for (const form of forms) runs.push(await sessionOf(shape, form))
  const feeds = feedsOf(shape)
  for (const { session } of runs) await session.run(feeds)
  // In turn, so that what else the machine does falls on all of them alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const { session, times } of runs) {
      const until = performance.now() + BUDGET_MS
      const started = process.cpuUsage()
      let count = 0
      do {
        await session.run(feeds)
        count++
      } while (performance.now() < until)
      const { user, system } = process.cpuUsage(started)
      times.push((user + system) / 1000 / count)
    }
  }
  const best = runs.find((run) => run.form === chosen)
  const base = median(best.times)
  const cells = runs.map(({ form, times, createMs }) => {
    const ms = median(times)
    return `${form} ${ms.toFixed(3)} ms (x${(ms / base).toFixed(2)}, session ${createMs.toFixed(0)} ms)`
  })
  console.log(`d ${d}, T ${T}, B ${B}: chosen ${chosen}; ${cells.join('; ')}`)
  for (const { session } of runs) await session.release()
}

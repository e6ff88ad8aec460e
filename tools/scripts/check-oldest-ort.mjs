// Runs a model of every operator on the oldest onnxruntime-node that @fep-moe/onnx claims (the lower end of its peer
// range), against the float64 reference. Its binaries are in the package: no install script runs.
// `node tools/scripts/check-oldest-ort.mjs [VERSION]`
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bin, npm, quietly, readJson, root, setup } from './setup.mjs'

/** Single precision against double, relative to the largest element of the result. */
const TOLERANCE = 3e-6

await setup({ build: false })
await quietly('build', [bin('tsc'), '-b', 'packages/onnx'])
const claimed = readJson(join(root, 'packages/onnx/package.json')).peerDependencies['onnxruntime-node']
const version = process.argv[2] ?? claimed.match(/\d+\.\d+\.\d+/)[0]
const runtime = install(version)
const failures = await compareAll(runtime)
for (const line of failures.lines) process.stderr.write(`${line}\n`)
process.stdout.write(
  `onnxruntime-node ${version}: ${failures.total - failures.lines.length} of ${failures.total} models agree\n`,
)
process.exitCode = failures.lines.length === 0 ? 0 : 1

function install(wanted) {
  const home = join(root, 'node_modules/.cache', `onnxruntime-node-${wanted}`)
  if (!existsSync(join(home, 'node_modules/onnxruntime-node/package.json'))) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{ "private": true }')
    const args = [
      npm(),
      'install',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `onnxruntime-node@${wanted}`,
    ]
    const { status } = spawnSync(process.execPath, args, {
      cwd: home,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (status !== 0) process.exit(status ?? 1)
  }
  return createRequire(join(home, 'package.json'))('onnxruntime-node')
}

async function compareAll(ort) {
  const load = (path) => import(pathToFileURL(join(root, path)).href)
  const { interpret, expandComposites } = await load('packages/core/dist/index.js')
  const { toOnnx } = await load('packages/onnx/dist/index.js')
  const { models } = await load('tools/onnx-models/operators.mjs')
  const lines = []
  const all = await models()
  for (const { id, graph, feeds } of all) {
    try {
      const batch = isSymbolic(graph) ? 2 : 1
      const given = feeds(batch)
      const truth = interpret(expandComposites(graph), widen(given), { batch })
      const session = await ort.InferenceSession.create(toOnnx(graph), {
        logSeverityLevel: 3,
        intraOpNumThreads: 1,
      })
      const tensors = Object.entries(given).map(([name, t]) => [
        name,
        new ort.Tensor(t.dtype, t.data, t.shape),
      ])
      const results = await session.run(Object.fromEntries(tensors))
      graph.outputs.forEach(({ name }, i) => {
        compare(name, results[session.outputNames[i]], truth[name])
      })
      await session.release()
    } catch (error) {
      lines.push(`${id}: ${error.message}`)
    }
  }
  return { lines, total: all.length }
}

function isSymbolic({ inputs, values }) {
  return inputs.some((name) => values[name].shape.some((dim) => typeof dim === 'string'))
}

function widen(feeds) {
  const wide = (t) => (t.dtype === 'float32' ? { ...t, data: Float64Array.from(t.data) } : t)
  return Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, wide(t)]))
}

function compare(name, ours, truth) {
  if (ours.dims.join() !== truth.shape.join())
    throw new Error(`output '${name}' is (${ours.dims}), expected (${truth.shape})`)
  let scale = 1
  for (const value of truth.data) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value))
  truth.data.forEach((value, i) => {
    const off = Math.abs(Number(ours.data[i]) - value) / scale
    if (ours.data[i] !== value && !(off <= TOLERANCE))
      throw new Error(`output '${name}'[${i}] is ${ours.data[i]}, expected ${value}`)
  })
}

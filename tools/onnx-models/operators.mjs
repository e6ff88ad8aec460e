// Every operator case of packages/onnx/test/cases.ts, and the gradient of each: what the official checker and the
// oldest runtime are given. A file in this folder exports `models()`; each one's models join the rest.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { vjpGraph } from '../../packages/core/dist/index.js'
import { bin, quietly, root } from '../scripts/setup.mjs'

/** The case file as a module: it is TypeScript, and Node 20 does not run that. */
async function loadCases() {
  const out = join(root, 'packages/onnx/node_modules/.cache/onnx-cases')
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, 'package.json'), '{ "type": "module" }')
  const source = join(root, 'packages/onnx/test/cases.ts')
  const flags = ['--ignoreConfig', '--noCheck', '--target', 'es2022', '--module', 'esnext']
  await quietly('compilation', [
    bin('tsc'),
    source,
    ...flags,
    '--moduleResolution',
    'bundler',
    '--outDir',
    out,
  ])
  return import(pathToFileURL(join(out, 'cases.js')).href)
}

/** @returns {Promise<{ id: string, graph: object, feeds: (batch: number) => object }[]>} */
export async function models() {
  const { cases, caseGraph, feedsFor, uniform } = await loadCases()
  return cases.flatMap((test) => {
    const graph = caseGraph(test)
    const plain = {
      id: test.id,
      graph,
      feeds: (batch) => feedsFor(test.inputs, batch, uniform(1), test.fixed),
    }
    const wrt = test.wrt ?? Object.keys(test.inputs).filter((name) => test.inputs[name].dtype === 'float32')
    if (wrt.length === 0) return [plain]
    const of = graph.outputs
      .filter(({ value }) => graph.values[value].dtype === 'float32')
      .map(({ name }) => name)
    const vjp = vjpGraph(graph, { of, wrt })
    const inputs = Object.fromEntries(
      vjp.inputs.map((name) => [name, { fill: 'normal', ...vjp.values[name], ...test.inputs[name] }]),
    )
    return [
      plain,
      { id: `${test.id}/vjp`, graph: vjp, feeds: (batch) => feedsFor(inputs, batch, uniform(1), test.fixed) },
    ]
  })
}

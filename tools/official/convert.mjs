// Turns the official ONNX node tests into data of @fep-moe/conformance: one entry per folder that our operators cover,
// one pool of bytes, and a count of everything that was left out, with the reason.
//
//   node tools/official/convert.mjs FOLDER          writes packages/conformance/src/official/vectors
//   node tools/official/convert.mjs FOLDER --check  compares with what is there, byte for byte
//
// FOLDER is onnx/backend/test/data/node of the Python package onnx 1.17.0.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bin, quietly, root } from '../scripts/setup.mjs'

const SOURCE = { package: 'onnx', version: '1.17.0' }
const TARGET = join(root, 'packages/conformance/src/official/vectors')
const EXPANDED = /_expanded(_ver\d+)?$/

await quietly('build', [bin('tsc'), '-b', 'packages/onnx', 'packages/conformance'])
const { readAttributes, readFolder, readTensor, sameData } = await import('./read-model.mjs')
const built = (file) => import(pathToFileURL(join(root, 'packages/conformance/dist/official', file)).href)
const { isTranslated, translateVector } = await built('translate.js')
const { Refusal, refuse } = await built('call.js')

/**
 * A tensor in a dtype of ours. int64 becomes int32 where every element fits. float64 becomes float32: operands only
 * where every element stays what it is, results rounded once.
 */
function narrowed({ type, shape, data }, isOperand) {
  if (data === undefined) return refuse(type === 'no tensor' ? 'sequences and optionals' : `dtype ${type}`)
  if (type === 'int64') {
    const small = Int32Array.from(data, Number)
    if (!small.every((v, i) => BigInt(v) === data[i])) refuse('int64 that int32 cannot hold')
    return { dtype: 'int32', shape, data: small }
  }
  if (type === 'float64') {
    const single = Float32Array.from(data)
    if (isOperand && !single.every((v, i) => Object.is(v, data[i])))
      refuse('float64 that float32 cannot hold')
    return { dtype: 'float32', shape, data: single }
  }
  return { dtype: type, shape, data }
}

/** Stored tensors: equal ones once, each at a multiple of four bytes. */
class Pool {
  bytes = []
  length = 0
  known = new Map()

  add({ dtype, shape, data }) {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const key = bytes.toString('latin1')
    let offset = this.known.get(key)
    if (offset === undefined) {
      offset = this.length
      const padding = Buffer.alloc((4 - (bytes.length % 4)) % 4)
      this.bytes.push(bytes, padding)
      this.length += bytes.length + padding.length
      this.known.set(key, offset)
    }
    return [dtype, shape, offset]
  }
}

/** A node with tensors kept aside as `store` says. */
function nodeOf(node, store) {
  const attrs = Object.fromEntries(
    Object.entries(readAttributes(node)).map(([name, value]) => {
      if (value.proto) return [name, { tensor: store(narrowed(readTensor(value.proto), true)) }]
      if (value.graph) return [name, { body: bodyOf(value.graph, store) }]
      return [name, value]
    }),
  )
  return { op: node.opType, attrs, inputs: node.input, outputs: node.output }
}

const bodyOf = (graph, store) => ({
  inputs: graph.input.map(({ name }) => name),
  outputs: graph.output.map(({ name }) => name),
  nodes: graph.node.map((node) => nodeOf(node, store)),
})

function vectorOf(name, { graph, opset, inputs, outputs }, store) {
  const all = (tensors, isOperand) =>
    Object.fromEntries([...tensors].map(([key, t]) => [key, store(narrowed(t, isOperand))]))
  return {
    name,
    opset,
    node: nodeOf(graph.node[0], store),
    inputs: all(inputs, true),
    outputs: all(outputs, false),
  }
}

/** Refuses what our operators do not cover, before anything is put in the pool. */
function mustTranslate(name, folder) {
  const tensors = []
  const vector = vectorOf(name, folder, (t) => [t.dtype, t.shape, tensors.push(t) - 1])
  translateVector(vector, ([, , index]) => tensors[index])
}

function convert(source) {
  const pool = new Pool()
  const vectors = []
  const [coverage, others] = [{}, {}]
  const folders = readdirSync(source).sort()
  for (const folder of folders) {
    const path = join(source, folder)
    const whole = folder.replace(EXPANDED, '')
    const isExpanded = whole !== folder && existsSync(join(source, whole))
    const read = readFolder(isExpanded ? join(source, whole) : path)
    const op = read.graph.node[0].opType
    if (!isTranslated(op)) {
      others[op] = (others[op] ?? 0) + 1
      continue
    }
    coverage[op] ??= { taken: 0, dropped: {} }
    try {
      if (isExpanded)
        refuse(
          sameData(path, join(source, whole))
            ? 'the same numbers once more, the model written out in other operators'
            : 'a model of several operators',
        )
      if (read.graph.node.length !== 1) refuse('a model of several operators')
      const name = folder.replace(/^test_/, '')
      mustTranslate(name, read)
      vectors.push(vectorOf(name, read, (t) => pool.add(t)))
      coverage[op].taken++
    } catch (error) {
      if (!(error instanceof Refusal)) throw new Error(`${folder}: ${error.message}`, { cause: error })
      const { dropped } = coverage[op]
      dropped[error.message] = (dropped[error.message] ?? 0) + 1
    }
  }
  return { folders: folders.length, vectors, coverage, others, pool: Buffer.concat(pool.bytes) }
}

const sorted = (record) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

function filesOf({ folders, vectors, coverage, others, pool }) {
  const banner =
    `// Generated by tools/official/convert.mjs from the node tests of ${SOURCE.package} ${SOURCE.version},\n` +
    '// which are Copyright (c) ONNX Project Contributors, licensed under Apache-2.0; see NOTICE.\n'
  const lines = (entries) => entries.map((entry) => `  ${entry},\n`).join('')
  const record = (r) =>
    lines(Object.entries(sorted(r)).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`))
  const types = (names) => `import type { ${names} } from '../vector.js'\n\n`
  return {
    'cases.ts': `${banner}${types('OfficialVector')}export const vectors: readonly OfficialVector[] = [\n${lines(vectors.map((v) => JSON.stringify(v)))}]\n`,
    'coverage.ts':
      `${banner}${types('OfficialCoverage')}/** Where the vectors come from, and how many folders there are. */\n` +
      `export const officialSource = ${JSON.stringify({ ...SOURCE, folders })} as const\n\n` +
      `/** By ONNX's name of an operator that is ours. */\n` +
      `export const officialCoverage: Readonly<Record<string, OfficialCoverage>> = {\n${record(coverage)}}\n\n` +
      `/** Folders of operators that are not ours, by ONNX's name. */\n` +
      `export const officialOthers: Readonly<Record<string, number>> = {\n${record(others)}}\n`,
    'pool.ts': `${banner}/** Elements of every tensor, little-endian, in base64. */\nexport const pool =\n  '${pool.toString('base64')}'\n`,
  }
}

function main(args) {
  const [source] = args.filter((arg) => !arg.startsWith('--'))
  if (!source || args.some((arg) => arg.startsWith('--') && arg !== '--check')) {
    console.error('usage: node tools/official/convert.mjs FOLDER [--check]')
    return 2
  }
  const converted = convert(source)
  const files = filesOf(converted)
  const bytes = Object.values(files).reduce((n, text) => n + Buffer.byteLength(text), 0)
  console.log(`${converted.folders} folders, ${converted.vectors.length} cases, ${bytes} bytes`)
  let status = 0
  for (const [name, text] of Object.entries(files)) {
    const path = join(TARGET, name)
    if (!args.includes('--check')) writeFileSync(path, text)
    else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
      console.error(`${name} differs from what the vectors give`)
      status = 1
    }
  }
  return status
}

process.exitCode = main(process.argv.slice(2))

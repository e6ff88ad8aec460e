/** The text of a module: functions of one or more kernels, and one that calls them in order. */

import type { Buffer, View } from '@fep-moe/core/lowering'
import { buffersOf, type Kernel, type Module } from '../ir/module.js'
import type { Plan } from '../plan.js'
import { joinKernels, type Run, type RunLoop } from './join-kernels.js'

const ARRAYS = { float32: 'Float32Array', int32: 'Int32Array', bool: 'Uint8Array', float64: 'Float64Array' }

const MATH = ['abs', 'cos', 'exp', 'fround', 'imul', 'log', 'max', 'min', 'sign', 'sin', 'sqrt', 'tanh']
const RUNTIME = ['checkGroup', 'checkedIndex', 'erfTable', 'rankFalling']

/** Names of graphs and values come from anywhere: a comment must not end before its line does. */
const comment = (text: string): string => text.replace(/[^\w .,:/()+*-]/g, '_')

/** True where the code works in memory that it is given, because a kernel from outside works there too. */
export const usesSpace = ({ matrices }: Pick<Module, 'matrices'>): boolean => matrices.length > 0

/**
 * A function body that takes `runtime`, `constants` and, with packed matrices, `space`, and returns `{ run, results }`. Its
 * length grows with the number of nodes, never with the size of tensors.
 */
export function moduleText(module: Module, { bytes, offsets }: Plan): string {
  const shared = usesSpace(module)
  const runs = joinKernels(module.stages)
  const functions = functionsOf(runs)
  const body = functions.join('\n\n')
  const words = new Set(body.match(/\w+/g))
  const uses = (name: string) => words.has(name)
  const take = (names: readonly string[], from: string) =>
    names.length > 0 ? [`const { ${names.join(', ')} } = ${from}`] : []
  return [
    `// ${comment(module.name)}`,
    "'use strict'",
    ...take(MATH.filter(uses), 'Math'),
    ...take(RUNTIME.filter(uses), 'runtime'),
    ...(module.constants.length > 0
      ? [`const [${module.constants.map(({ buffer }) => buffer.name).join(', ')}] = constants`]
      : []),
    shared ? 'const { memory, base, matvec } = space' : `const memory = new ArrayBuffer(${bytes})`,
    ...[...module.memory, ...module.matrices.map(({ buffer }) => buffer)]
      .filter((buffer) => offsets.has(buffer))
      .map((buffer) => `const ${buffer.name} = ${arrayText(buffer, offsets.get(buffer) as number, shared)}`),
    '',
    ...functions.flatMap((text) => [text, '']),
    ...runText(module, runs),
    '',
    `return { run, results: { ${module.outputs.map(({ name, view }) => `${JSON.stringify(name)}: ${resultText(view)}`).join(', ')} } }`,
    '',
  ].join('\n')
}

const arrayText = ({ dtype, length }: Buffer, offset: number, shared: boolean) =>
  `new ${ARRAYS[dtype]}(memory, ${shared ? `base + ${offset}` : offset}, ${length})`

/** A part of a buffer is an array of its own. */
function resultText({ buffer, offset, shape }: View): string {
  const count = shape.reduce((n, dim) => n * dim, 1)
  return count === buffer.length ? buffer.name : `${buffer.name}.subarray(${offset}, ${offset + count})`
}

/** What a function takes: the feeds that its kernels read, and the steps of the loops around it. */
function parametersOf({ kernels }: Run): string {
  const feeds = kernels.flatMap(({ buffers }) => [...buffers].filter(({ kind }) => kind === 'feed'))
  const names = [...feeds.map(({ name }) => name), ...kernels.flatMap(({ variables }) => variables)]
  return [...new Set(names)].join(', ')
}

/** A run is called what its first kernel is called. */
const nameOf = ({ kernels }: Run): string => (kernels[0] as Kernel).name

/** The variables of a kernel are its own. */
const inBlock = (body: string): string =>
  /^ {2}(const|let) /m.test(body) ? `  {\n${body.replaceAll(/^/gm, '  ')}\n  }` : body

function functionText(run: Run): string {
  const head = `function ${nameOf(run)}(${parametersOf(run)}) {`
  const [first] = run.kernels as readonly [Kernel]
  if (run.kernels.length === 1) return `// ${comment(first.label)}\n${head}\n${first.body}\n}`
  const blocks = run.kernels.map(({ label, body }) => `  // ${comment(label)}\n${inBlock(body)}`)
  return [head, ...blocks, '}'].join('\n')
}

const functionsOf = (stages: readonly (Run | RunLoop)[]): string[] =>
  stages.flatMap((stage) => (stage.kind === 'loop' ? functionsOf(stage.body) : [functionText(stage)]))

function runText({ stages, feeds }: Module, runs: readonly (Run | RunLoop)[]): string[] {
  const read = buffersOf(stages)
  return [
    'function run(feeds) {',
    ...[...feeds]
      .filter(([, buffer]) => read.has(buffer))
      .map(([name, buffer]) => `  const ${buffer.name} = feeds[${JSON.stringify(name)}].data`),
    ...runs.flatMap((stage) => callText(stage, '  ')),
    '}',
  ]
}

function callText(stage: Run | RunLoop, indent: string): string[] {
  if (stage.kind === 'run') return [`${indent}${nameOf(stage)}(${parametersOf(stage)})`]
  const { variable: t, steps, reverse, body } = stage
  const head = reverse
    ? `let ${t} = ${steps - 1}; ${t} >= 0; ${t}--`
    : `let ${t} = 0; ${t} < ${steps}; ${t}++`
  return [
    `${indent}for (${head}) {`,
    ...body.flatMap((inner) => callText(inner, `${indent}  `)),
    `${indent}}`,
  ]
}

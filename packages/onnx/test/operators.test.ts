import { type Backend, type Graph, referenceBackend, vjpGraph } from '@fep-moe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxBackend } from '../src/index.js'
import { claimedComposites, lowerings } from '../src/lowerings/table.js'
import { expectAgreement } from './agreement.js'
import { caseGraph, cases, feedsFor, type InputSpec, type OperatorCase, uniform } from './cases.js'

/** A few units in the last place of the largest element. */
const TOLERANCE = 1e-6
/** Gradients add a few roundings. */
const GRADIENT_TOLERANCE = 3e-6

let onnx: Backend
let reference: Backend

beforeAll(async () => {
  onnx = await onnxBackend({ smallPrograms: 'native' })
  reference = await referenceBackend({ precision: 'float64' })
})
afterAll(() => onnx.dispose())

const hash = (text: string) =>
  [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619), 2166136261) >>> 0

const isSymbolic = (graph: Graph) =>
  graph.inputs.some((name) => graph.values[name]?.shape.some((d) => typeof d === 'string'))

/** Symbolic graphs run at several sizes on one program. */
const batches = (graph: Graph) => (isSymbolic(graph) ? [1, 3, 2] : [1])

async function check(
  graph: Graph,
  inputs: Readonly<Record<string, InputSpec>>,
  test: OperatorCase,
  tolerance: number,
  sizes = batches(graph),
) {
  const random = uniform(hash(graph.name))
  const program = await onnx.compile(graph)
  for (const batch of sizes)
    await expectAgreement(program, reference, graph, feedsFor(inputs, batch, random, test.fixed), tolerance)
  program.dispose()
}

describe('every operator agrees with the reference', () => {
  it.each(cases.map((test) => [test.id, test] as const))('%s', async (_id, test) => {
    await check(caseGraph(test), test.inputs, test, TOLERANCE)
  })
})

describe('and so does its gradient', () => {
  const wanted = (test: OperatorCase) =>
    test.wrt ??
    Object.entries(test.inputs).flatMap(([name, { dtype }]) => (dtype === 'float32' ? [name] : []))
  it.each(cases.filter((test) => wanted(test).length > 0).map((test) => [test.id, test] as const))(
    '%s',
    async (_id, test) => {
      const graph = caseGraph(test)
      const of = graph.outputs.flatMap(({ name, value }) =>
        graph.values[value]?.dtype === 'float32' ? [name] : [],
      )
      const vjp = vjpGraph(graph, { of, wrt: wanted(test) })
      const cotangents = of.map((name): [string, InputSpec] => [
        `cotangent/${name}`,
        { ...(vjp.values[`cotangent/${name}`] as InputSpec), fill: 'normal' },
      ])
      await check(vjp, { ...test.inputs, ...Object.fromEntries(cotangents) }, test, GRADIENT_TOLERANCE)
    },
  )
})

it('cases cover the table', () => {
  const covered = new Set(cases.map((test) => test.op))
  expect(
    [...Object.keys(lowerings), ...claimedComposites].filter((op) => !covered.has(op as OperatorCase['op'])),
  ).toEqual([])
})

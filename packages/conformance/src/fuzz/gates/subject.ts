/** Random gates on a backend: sequences, streams and one training step, against bounds computed on their own graphs. */
import {
  type Backend,
  type Gate,
  type Graph,
  gateStates,
  type Params,
  type Tensor,
  type TrainingBatch,
  tensor,
  zeros,
} from '@fep-moe/core'
import { packedSlots } from '@fep-moe/core/training'
import { stepsOf as cutSteps, stepOf } from '../../frame/steps.js'
import { cutTold, optionsAt } from '../../gates/case.js'
import { type Bounded, boundsOf, Evaluation, evaluateBounded, exactly } from '../bounds/evaluate.js'
import { noComparison } from '../compare.js'
import { excluded, holdAgainst, isExcluded, type Outcome, type Subject } from '../subject.js'
import { type GateRecipe, gateRecipes } from './recipe.js'
import { optimizerOf, type Scene, sceneOf, stepsOf, trainingBatch } from './scene.js'

type Check = (recipe: GateRecipe, scene: Scene, backend: Backend) => Promise<Outcome>

const sequence: Check = async (recipe, { gate, params, x, reset, precision }, backend) => {
  const graph = gate.graph({ steps: recipe.steps, reset: reset !== undefined, details: true })
  if (isExcluded(graph, backend.capabilities)) return excluded
  const options = { ...precision, ...(reset ? { reset } : {}) }
  const { results, evaluation } = boundsOf(
    graph,
    { ...params, x, ...options },
    recipe.batch,
    backend.capabilities.accuracy,
  )
  const comparison = noComparison()
  const got = await gate.route(backend, params, x, { ...options, details: true })
  await holdAgainst(comparison, got as unknown as Record<string, Tensor>, results)
  return { excluded: false, comparison, closest: evaluation.closest }
}

type Bounds = Readonly<Record<string, Bounded>>

const mapped = (bounds: Bounds, change: (name: string, b: Bounded) => Bounded): Bounds =>
  Object.fromEntries(Object.entries(bounds).map(([name, b]) => [name, change(name, b)]))

/** A stream's results have no axis for time. */
const withoutTime = (x: Bounded): Bounded => ({ ...x, shape: x.shape.filter((_, i) => i !== 1) })

const stream: Check = async (recipe, { gate, params, x, reset, precision }, backend) => {
  const graph = gate.graph({ steps: 1, state: true })
  const { batch, steps } = recipe
  if (isExcluded(graph, backend.capabilities)) return excluded
  const evaluation = new Evaluation(backend.capabilities.accuracy)
  const exact = (t: Tensor) => exactly(evaluation, t)
  const exactAll = (tensors: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, exact(t)] as const))
  const fixed = exactAll(params)
  const states = gateStates(gate.config)
  let state: Bounds = exactAll(
    Object.fromEntries(states.map(({ name, width }) => [name, zeros([batch, width])])),
  )
  const comparison = noComparison()
  const running = await gate.stream(backend, params, { batch })
  try {
    for (let t = 0; t < steps; t++) {
      const fresh = reset ? rowsOf(stepOf(reset, t)) : []
      if (fresh.length > 0) {
        await running.reset(fresh)
        state = mapped(state, (_, s) => cleared(s, fresh))
      }
      const feeds = {
        ...fixed,
        x: exact(cutSteps(x, t, t + 1)),
        ...exactAll(cutTold(precision, (told) => cutSteps(told, t, t + 1)) as Record<string, Tensor>),
        ...Object.fromEntries(states.map(({ name }) => [`state/${name}`, state[name] as Bounded])),
      }
      const results = evaluateBounded(evaluation, graph, feeds, batch)
      state = mapped(state, (name) => results[`state/${name}`] as Bounded)
      const decided = Object.entries(results).filter(([name]) => !name.startsWith('state/'))
      const want = Object.fromEntries(decided.map(([name, v]) => [name, withoutTime(v)]))
      const got = await running.step(stepOf(x, t), optionsAt(precision, t))
      await holdAgainst(comparison, got as unknown as Record<string, Tensor>, want, `step ${t} `)
    }
    await holdAgainst(comparison, await running.snapshot(), state, 'snapshot ')
  } finally {
    running.dispose()
  }
  return { excluded: false, comparison, closest: evaluation.closest }
}

const rowsOf = ({ data }: Tensor): number[] => Array.from(data.keys()).filter((i) => data[i] !== 0)

function cleared(memory: Bounded, rows: readonly number[]): Bounded {
  const width = memory.shape[1] as number
  const [data, error] = [memory.data.slice(), memory.error.slice()]
  for (const row of rows) {
    data.fill(0, row * width, (row + 1) * width)
    error.fill(0, row * width, (row + 1) * width)
  }
  return { ...memory, data, error }
}

const training: Check = async (recipe, scene, backend) => {
  const { gate, params } = scene
  const [batch, optimizer] = [trainingBatch(recipe, scene), optimizerOf(recipe)]
  const trainer = await gate.trainer(backend, params, { optimizer, loss: recipe.loss })
  try {
    const form = { mask: batch.mask !== undefined, reset: batch.reset !== undefined }
    const graph = trainer.stepGraph(stepsOf(recipe), form)
    if (isExcluded(graph, backend.capabilities)) return excluded
    const feeds = trainingFeeds(graph, gate, params, batch, optimizer.lr)
    const { results, evaluation } = boundsOf(graph, feeds, recipe.batch, backend.capabilities.accuracy)
    const comparison = noComparison()
    const step = await trainer.step(batch)
    const loss = tensor([await step.loss()], [])
    const updated = packed(gate, await trainer.params())
    const want = { loss: results.loss, logits: results.logits, params: results.params } as Record<
      string,
      Bounded
    >
    await holdAgainst(comparison, { loss, logits: await step.featureMajorLogits(), params: updated }, want)
    return { excluded: false, comparison, closest: evaluation.closest }
  } finally {
    await trainer.dispose()
  }
}

/** Feeds of a step's graph: what the batch has, the packed parameters, and zeros for the optimizer's state. */
export function trainingFeeds(
  graph: Graph,
  gate: Gate,
  params: Params,
  { x, targets, mask, reset, precision, feedback }: TrainingBatch,
  lr: number,
): Record<string, Tensor> {
  const given: Record<string, Tensor | undefined> = {
    x,
    targets,
    mask,
    reset,
    precision: precision as Tensor | undefined,
    feedback,
    lr: tensor([lr], []),
    params: packed(gate, params),
  }
  return Object.fromEntries(
    graph.inputs.map((name) => [name, given[name] ?? zeros(graph.values[name]?.shape as readonly number[])]),
  )
}

/** All parameters in one vector, as trainers hold them. */
export function packed(gate: Gate, params: Params): Tensor {
  const slots = packedSlots(gate.params)
  const data = new Float32Array(slots.at(-1)?.end ?? 0)
  for (const { name, start } of slots) data.set((params[name] as Tensor).data, start)
  return tensor(data)
}

const checks: Readonly<Record<GateRecipe['form'], Check>> = { sequence, stream, training }

/** An oracle reads the next token: it has no streaming form. */
const formOf = ({ form, config }: GateRecipe): GateRecipe['form'] =>
  form === 'stream' && config.router === 'oracle' ? 'sequence' : form

/** See the file's header. */
export const randomGates: Subject<GateRecipe> = {
  recipes: gateRecipes,
  check: async (recipe, backend) => {
    const scene = sceneOf(recipe)
    await scene.gate.ready()
    try {
      return await checks[formOf(recipe)](recipe, scene, backend)
    } finally {
      await scene.gate.release(backend)
    }
  },
  show: (recipe) => JSON.stringify({ ...recipe, form: formOf(recipe) }, null, 2),
}

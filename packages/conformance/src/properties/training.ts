/** What training promises: the same bytes from the same seed, additive gradients, and no side effects of anything else. */
import {
  type Gate,
  type Params,
  random,
  sgd,
  type Tensor,
  type Trainer,
  type TrainingBatch,
  tensor,
} from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { boundsOf } from '../fuzz/bounds/evaluate.js'
import { type GateRecipe, gateRecipes } from '../fuzz/gates/recipe.js'
import { optimizerOf, sceneOf, stepsOf, trainingBatch } from '../fuzz/gates/scene.js'
import { packed, trainingFeeds } from '../fuzz/gates/subject.js'
import { propertyCase } from './property.js'
import { compareWithin } from './within.js'

const opened = (probe: Probe, recipe: GateRecipe, gate: Gate, params: Params): Promise<Trainer> =>
  gate.trainer(probe.backend, params, { optimizer: optimizerOf(recipe), loss: recipe.loss })

async function sameParams(probe: Probe, what: string, got: Params, want: Params): Promise<void> {
  for (const [name, t] of Object.entries(want))
    await probe.compare(`${name} ${what}`, probe.present(name, got[name]), t)
}

/** Other batches of the same form. */
const batchOf = (recipe: GateRecipe, k: number): TrainingBatch => {
  const other = { ...recipe, seed: recipe.seed + 100 * k }
  return { ...trainingBatch(other, sceneOf(other)), ...sharedPrecision(recipe) }
}

const sameSeed = propertyCase<GateRecipe>({
  id: 'same-seed-same-bytes',
  seed: 621,
  runs: 12,
  note: 'parameters, random numbers and three training steps, twice: not a bit differs',
  things: gateRecipes,
  holds: async (probe, recipe) => {
    const { gate, params } = sceneOf(recipe)
    await sameParams(probe, 'drawn again', sceneOf(recipe).params, params)
    const draw = () => {
      const values = new Float32Array(33)
      random(recipe.seed, 'property').fillNormal(values)
      return tensor(values)
    }
    await probe.compare('normals drawn again', draw(), draw())
    const train = async () => {
      const trainer = await opened(probe, recipe, gate, params)
      try {
        for (let k = 0; k < 3; k++) await trainer.step(batchOf(recipe, k))
        return await trainer.params()
      } finally {
        await trainer.dispose()
      }
    }
    await sameParams(probe, 'trained again', await train(), await train())
  },
})

const undisturbed = propertyCase<GateRecipe>({
  id: 'routing-does-not-disturb-training',
  seed: 622,
  runs: 12,
  note: 'routing between steps changes no parameter, and training changes neither what it started from nor its batches',
  things: gateRecipes,
  holds: async (probe, recipe) => {
    const { gate, params } = sceneOf(recipe)
    const batch = batchOf(recipe, 0)
    const told = sceneOf(recipe).precision
    const copy = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() as Tensor['data'] })
    const [before, tokens, targets] = [
      Object.fromEntries(Object.entries(params).map(([name, t]) => [name, copy(t)])),
      copy(batch.x),
      copy(batch.targets),
    ]
    const train = async (between: () => Promise<unknown>) => {
      const trainer = await opened(probe, recipe, gate, params)
      try {
        await trainer.step(batch)
        await between()
        await trainer.step(batchOf(recipe, 1))
        return await trainer.params()
      } finally {
        await trainer.dispose()
      }
    }
    const plain = await train(async () => undefined)
    const disturbed = await train(() => gate.route(probe.backend, params, batch.x, told))
    await sameParams(probe, 'with a route between steps', disturbed, plain)
    await sameParams(probe, 'that training started from', params, before)
    await probe.compare('tokens', batch.x, tokens)
    await probe.compare('targets', batch.targets, targets)
    await gate.release(probe.backend)
  },
})

/** The same Π for all, unless every sequence has its own. */
const sharedPrecision = (recipe: GateRecipe) =>
  (recipe.config.precision?.scope ?? 'shared') === 'shared' ? sceneOf(recipe).precision : {}

/** Two batches as one. */
function joined(first: TrainingBatch, second: TrainingBatch): TrainingBatch {
  const both = (a: Tensor, b: Tensor): Tensor => {
    const data = new (a.data.constructor as new (n: number) => Tensor['data'])(a.data.length + b.data.length)
    data.set(a.data as Float32Array)
    data.set(b.data as Float32Array, a.data.length)
    return { ...a, shape: [(a.shape[0] as number) + (b.shape[0] as number), ...a.shape.slice(1)], data }
  }
  const perSequence = (name: 'precision' | 'feedback') => {
    const [a, b] = [first[name], second[name]] as readonly (Tensor | undefined)[]
    return a && b && a.shape.length === 3 ? { [name]: both(a, b) } : {}
  }
  return {
    ...first,
    x: both(first.x, second.x),
    targets: both(first.targets, second.targets),
    ...perSequence('precision'),
    ...perSequence('feedback'),
  }
}

const additive = propertyCase<GateRecipe>({
  id: 'accumulated-gradients-add-up',
  seed: 623,
  runs: 15,
  note: 'two micro-batches are one batch of both, within four times the rounding error of the step on both',
  // A weighted mean of a batch is no mean of the means of its halves, and resets belong to their own batch.
  things: gateRecipes.map((recipe) => ({ ...recipe, mask: false, reset: false })),
  holds: async (probe, recipe) => {
    const { gate, params } = sceneOf(recipe)
    const [first, second] = [batchOf(recipe, 0), batchOf(recipe, 1)]
    const both = joined(first, second)
    const optimizer = sgd({ lr: 0.5 })
    const open = () => gate.trainer(probe.backend, params, { optimizer, loss: recipe.loss })
    const trainer = await open()
    try {
      const graph = trainer.stepGraph(stepsOf(recipe))
      const feeds = trainingFeeds(graph, gate, params, both, optimizer.lr)
      const { accuracy } = probe.backend.capabilities
      const want = boundsOf(graph, feeds, 2 * recipe.batch, accuracy).results.params
      await trainer.accumulate(first)
      await trainer.accumulate(second)
      await trainer.apply()
      compareWithin(
        probe,
        'parameters',
        packed(gate, await trainer.params()),
        probe.present('params', want),
        4,
      )
    } finally {
      await trainer.dispose()
    }
  },
})

const masked = propertyCase<GateRecipe>({
  id: 'masked-steps-do-not-count',
  seed: 624,
  runs: 15,
  note: 'the targets of a step of weight 0 change nothing: not a bit differs',
  things: gateRecipes,
  holds: async (probe, recipe) => {
    const { gate, params } = sceneOf(recipe)
    const batch = batchOf({ ...recipe, mask: true }, 0)
    const mask = probe.present('mask', batch.mask)
    const hidden = mask.data.map((w, i) => (i % 3 === 1 ? 0 : w)) as Float32Array
    const width = batch.targets.data.length / hidden.length
    const { experts } = recipe.config
    const changed = batch.targets.data.map((v, i) =>
      hidden[Math.floor(i / width)] === 0
        ? batch.targets.dtype === 'int32'
          ? (v + 1) % experts
          : v + 0.5
        : v,
    )
    const train = async (targets: Tensor) => {
      const trainer = await opened(probe, recipe, gate, params)
      try {
        await trainer.step({ ...batch, targets, mask: { ...mask, data: hidden } })
        return await trainer.params()
      } finally {
        await trainer.dispose()
      }
    }
    const other = { ...batch.targets, data: changed as Tensor['data'] }
    await sameParams(probe, 'with other hidden targets', await train(other), await train(batch.targets))
  },
})

/** See the file's header. */
export const training = (): ProcedureCase[] => [sameSeed, undisturbed, additive, masked]

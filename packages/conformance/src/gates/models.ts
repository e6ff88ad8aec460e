/** Models around a gate: dense mixtures and the language model. Streaming = sequence, tables = plain, training. */
import {
  adamW,
  type Backend,
  clipGlobalNorm,
  cosineAnnealing,
  createLanguageModel,
  createMixture,
  gradients,
  type LanguageModelConfig,
  type Mixture,
  type MixtureConfig,
  precisionTracker,
  preset,
  type RouterConfig,
  referenceBackend,
  type Tensor,
  tensor,
  toHost,
  warmUp,
} from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import { generator, noise } from '../frame/data.js'
import { GAP_RTOL, gapTolerance } from '../frame/gap.js'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'
import { gateCase } from './case.js'

const [BATCH, STEPS, DIM, EXPERTS, VOCABULARY] = [3, 6, 5, 3, 7]
/** One logit sums some tens of products of size 1, in one order or another. */
const STREAMING = { atol: 4e-6, rtol: 4e-6 }
const TRAINING = { atol: 1e-4, rtol: 0 }

const skill = preset('skill/full', { dim: DIM, experts: EXPERTS })
const ROUTERS: Readonly<Record<string, RouterConfig>> = {
  standard: {},
  beta: { memory: { kind: 'leaky' } },
  'beta+additive': { memory: { kind: 'leaky' }, anticipation: { kind: 'additive', width: 6 } },
  direct: { memory: { kind: 'leaky' }, anticipation: { kind: 'direct', width: 6 } },
  spikes: { memory: { kind: 'membrane', threshold: 0.4 }, select: { kind: 'spike' } },
  skill: {
    memory: skill.memory,
    anticipation: { ...skill.anticipation, width: 6 },
    select: skill.select,
  },
}

const ids = (seed: number, vocabulary: number): Tensor => {
  const next = generator(seed)
  return tensor(
    Int32Array.from({ length: BATCH * STEPS }, () => Math.floor(next() * vocabulary)),
    [BATCH, STEPS],
  )
}

const languageModel = (
  router: RouterConfig,
  form: NonNullable<LanguageModelConfig['form']>,
  vocabulary = VOCABULARY,
) =>
  createLanguageModel({
    vocabulary,
    dim: DIM,
    experts: EXPERTS,
    router,
    expert: { width: 8 },
    form,
    dispatchAhead: true,
  })

async function checkLanguageModelStream(probe: Probe, router: RouterConfig): Promise<void> {
  const model = languageModel(router, 'tables')
  const [params, x] = [model.init({ seed: 601 }), ids(602, VOCABULARY)]
  const stream = await model.stream(probe.backend, params, { batch: BATCH })
  try {
    const whole = await model.run(probe.backend, params, x)
    for (let t = 0; t < STEPS; t++) {
      const got = await stream.step(stepOf(x, t))
      await probe.compare(`logits ${t}`, got.logits, stepOf(whole.logits, t))
      await probe.compare(`weights ${t}`, got.weights, stepOf(whole.weights, t))
    }
  } finally {
    stream.dispose()
    await model.release(probe.backend)
  }
}

/** Logits, losses and all gradients of a form, on a backend. */
async function everythingOf(
  backend: Backend,
  router: RouterConfig,
  form: NonNullable<LanguageModelConfig['form']>,
  vocabulary: number,
): Promise<Record<string, Tensor>> {
  const model = languageModel(router, form, vocabulary)
  const params = model.init({ seed: 611 })
  const batch = {
    x: ids(612, vocabulary),
    y: ids(613, vocabulary),
    weights: noise(614, [BATCH, STEPS], 0.5, 5),
  }
  const { logits, weights } = await model.run(backend, params, batch.x)
  const wrt = model.params.map((p) => p.name)
  const graph = model.lossGraph({ steps: STEPS, weights: true }, { divideBy: 'weights' })
  const program = await backend.compile(gradients(graph, { of: 'loss', wrt }))
  const found: Record<string, Tensor> = { logits, weights }
  for (const [name, t] of Object.entries(await program.run({ ...params, ...batch }))) {
    found[name] = await toHost(t)
    t.dispose()
  }
  program.dispose()
  await model.release(backend)
  return found
}

async function checkTables(probe: Probe, router: RouterConfig, vocabulary: number): Promise<void> {
  const exact = await everythingOf(
    await referenceBackend({ precision: 'float64' }),
    router,
    'plain',
    vocabulary,
  )
  const single = await everythingOf(await referenceBackend(), router, 'plain', vocabulary)
  const got = await everythingOf(probe.backend, router, 'tables', vocabulary)
  for (const [name, want] of Object.entries(exact)) {
    const tolerance = gapTolerance(want, single[name] as Tensor)
    await probe.compare(name, probe.present(name, got[name]), want, tolerance)
  }
}

const MIXTURE: MixtureConfig = {
  dim: DIM,
  experts: EXPERTS,
  router: { memory: { kind: 'leaky' }, precision: { kind: 'gain' } },
  expert: { width: 8, outputs: 2 },
}

async function checkMixtureStream(probe: Probe): Promise<void> {
  const layer = createMixture(MIXTURE)
  const [params, x] = [layer.init({ seed: 621 }), noise(622, [BATCH, STEPS, DIM], -2, 2)]
  const options = { precision: noise(623, [EXPERTS], 0.3, 4) }
  const stream = await layer.stream(probe.backend, params, { batch: BATCH })
  try {
    const whole = await layer.run(probe.backend, params, x, options)
    for (let t = 0; t < STEPS; t++) {
      const got = await stream.step(stepOf(x, t), options)
      for (const name of ['y', 'weights', 'logits'] as const)
        await probe.compare(`${name} ${t}`, got[name], stepOf(whole[name], t))
    }
  } finally {
    stream.dispose()
    await layer.release(probe.backend)
  }
}

const TRAINING_STEPS = 10
const optimizer = () => clipGlobalNorm(adamW({ lr: 1e-2 }), { maxNorm: 0.5 })
const schedule = warmUp(cosineAnnealing({ lr: 1e-2, steps: 8 }), { steps: 3 })

/** Losses, and every parameter at the end. */
interface Trajectory {
  readonly losses: readonly number[]
  readonly params: Readonly<Record<string, Tensor>>
}

async function trainMixture(backend: Backend): Promise<Trajectory> {
  const layer: Mixture = createMixture(MIXTURE)
  const trainer = await layer.trainer(backend, layer.init({ seed: 631 }), {
    optimizer: optimizer(),
    schedule,
  })
  const tracker = precisionTracker({ experts: EXPERTS })
  let precision = tracker.init()
  const losses: number[] = []
  try {
    for (let step = 0; step < TRAINING_STEPS; step++) {
      const result = await trainer.step({
        x: noise(640 + step, [BATCH, STEPS, DIM], -1, 1),
        targets: noise(660 + step, [BATCH, STEPS, 2], -1, 1),
        noise: noise(680 + step, [BATCH, STEPS, EXPERTS, 2], -0.5, 0.5),
        precision,
      })
      losses.push(await result.loss())
      precision = tracker.update(precision, await result.errors())
    }
    return { losses, params: await trainer.params() }
  } finally {
    await trainer.dispose()
  }
}

async function trainLanguageModel(backend: Backend): Promise<Trajectory> {
  const model = languageModel(ROUTERS['beta+additive'] as RouterConfig, 'tables')
  const trainer = await model.trainer(backend, model.init({ seed: 701 }), {
    optimizer: optimizer(),
    schedule,
  })
  const losses: number[] = []
  try {
    for (let step = 0; step < TRAINING_STEPS; step++) {
      const x = ids(710 + step, VOCABULARY)
      losses.push(await (await trainer.step({ x, y: ids(730 + step, VOCABULARY) })).loss())
    }
    return { losses, params: await trainer.params() }
  } finally {
    await trainer.dispose()
  }
}

async function checkTraining(probe: Probe, train: (backend: Backend) => Promise<Trajectory>): Promise<void> {
  const want = await train(await referenceBackend({ precision: 'float64' }))
  const got = await train(probe.backend)
  await probe.compare('losses', tensor([...got.losses]), tensor([...want.losses]))
  for (const [name, t] of Object.entries(want.params))
    await probe.compare(name, probe.present(name, got.params[name]), t)
}

/** See the file's header. */
export const models = (): ProcedureCase[] => [
  gateCase(
    'models/mixture/streaming',
    621,
    STREAMING,
    'one token at a time, gate and experts',
    checkMixtureStream,
  ),
  gateCase(
    'models/mixture/training',
    631,
    TRAINING,
    'ten steps with noise, precision, AdamW, clipping and a schedule, against the float64 reference',
    (probe) => checkTraining(probe, trainMixture),
  ),
  gateCase(
    'models/language-model/training',
    701,
    TRAINING,
    'ten steps with AdamW, clipping and a schedule, against the float64 reference',
    (probe) => checkTraining(probe, trainLanguageModel),
  ),
  ...Object.entries(ROUTERS).flatMap(([name, router]) => [
    gateCase(`models/language-model/streaming/${name}`, 601, STREAMING, 'one token at a time', (probe) =>
      checkLanguageModelStream(probe, router),
    ),
    // One router with more entries than a product with one-hot columns is for.
    ...(name === 'beta' ? [VOCABULARY, 300] : [VOCABULARY]).map((vocabulary) =>
      gateCase(
        `models/language-model/tables/${name}/vocabulary-${vocabulary}`,
        611,
        { atol: 0, rtol: GAP_RTOL },
        'the plain form on the float64 reference, 16 times the gap of its float32 form',
        (probe) => checkTables(probe, router, vocabulary),
      ),
    ),
  ]),
]

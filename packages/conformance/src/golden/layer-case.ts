/** Golden layers of "Expert Threshold routing": experts on what they take, gradients, five steps of micro-batches; the skill's. */
import { adam, gradients, type Params, type Tensor, takeAll, tensor } from '@fep-moe/core'
import { createMoeLayer, type MoeLayer, type MoeLayerForm } from '@fep-moe/core/moe'
import { cutoffsOf, type PolicyState } from '@fep-moe/core/policies'
import type { Probe } from '../frame/probe.js'
import { stateFeeds } from '../policies/runs.js'
import {
  averagedState,
  comparing,
  float,
  int,
  optional,
  policyOf,
  type Script,
  scriptOf,
  shaped,
  sliceAt,
  tokenChoice,
} from './policy-script.js'
import { openVectors, type VectorEntry, type Vectors } from './vectors.js'

/** The layer's name of a script's parameter. */
type Rename = (name: string) => string

const paperB = (c: Script, select: Parameters<typeof createMoeLayer>[0]['router']['select']) =>
  createMoeLayer({
    dim: c.d,
    experts: c.E,
    router: { bias: false, select },
    expert: { width: c.expert_dim, activation: 'relu-squared' },
    shared: c.shared === 1 ? {} : null,
    residual: false,
  })

/** `router.W.weight` is the script's `engine.router.weight` and so on. */
const engineName: Rename = (name) =>
  name
    .replace('router.W.weight', 'engine.router.weight')
    .replace(/^shared\.(0|2)\.weight$/, (_, layer) => `shared_weight${layer === '0' ? 1 : 2}`)
    .replace(/^experts\.(\d+)\.(0|2)\.weight$/, (_, e, l) => `engine.expert_weight${l === '0' ? 1 : 2}.${e}`)

/** Parameters of a layer as a script has them. */
const paramsOf = (layer: MoeLayer, v: Vectors, rename: Rename): Params =>
  Object.fromEntries(
    layer.params.map(({ name, shape }) => [name, shaped(v.get(`param.${rename(name)}`), shape)]),
  )

/** Everything a loss graph returns, with gradients. */
async function lossOf(
  layer: MoeLayer,
  probe: Probe,
  form: Omit<MoeLayerForm, 'details' | 'state'>,
  feeds: Readonly<Record<string, Tensor>>,
  state: PolicyState,
): Promise<Record<string, Tensor>> {
  const wrt = [...layer.params.map(({ name }) => name), 'x']
  const program = await probe.backend.compile(gradients(layer.lossGraph(form), { of: 'loss', wrt }))
  try {
    return await takeAll(await program.run({ ...feeds, ...stateFeeds(program.graph, state) }))
  } finally {
    program.dispose()
  }
}

/** What a training decides and returns, without a loss. */
async function decided(
  layer: MoeLayer,
  probe: Probe,
  form: MoeLayerForm,
  feeds: Readonly<Record<string, Tensor>>,
  state: PolicyState,
): Promise<Record<string, Tensor>> {
  const program = await probe.backend.compile(layer.graph({ ...form, details: true }))
  try {
    return await takeAll(await program.run({ ...feeds, ...stateFeeds(program.graph, state) }))
  } finally {
    program.dispose()
  }
}

/** Rows that hold whatever a threshold may let through. */
const all = (c: Script) => c.B * c.T * c.E

/** B4: one batch under expert choice or thresholds: forward and every gradient. */
export async function checkLayer(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const layer = paperB(c, policyOf(c))
  const params = paramsOf(layer, v, engineName)
  const state = averagedState(layer.initialState(), c, optional(v, 'input.cutoff_ema_raw'))
  const [x, targets] = [v.get('input.x'), v.get('input.target')]
  const compare = comparing(v, probe)
  const form = { batch: c.B, steps: c.T, rows: all(c), training: c.training === 1 }
  const found = c.training
    ? await decided(layer, probe, form, { ...params, x }, state)
    : ({ ...(await layer.run(probe.backend, params, state, x, { details: true })) } as never)
  await layer.release(probe.backend)
  await compare('output.y', found.y as Tensor)
  await compare('output.mask', int(found.mask as Tensor))
  await compare('output.weights', found.weights as Tensor)
  await compare('output.expert_usage', usageOf(found.load as Tensor, c))
  // Gradients of evaluation are those of a training in which nothing is clamped.
  const trained = c.training ? layer : paperB(c, { ...policyOf(c), capacity: null } as never)
  const losses = await lossOf(trained, probe, form, { ...params, x, targets }, state)
  await compare('output.loss', losses.loss as Tensor)
  for (const { name } of layer.params)
    await compare(`grad.${engineName(name)}`, losses[`grad/${name}`] as Tensor)
  await compare('grad.input.x', losses['grad/x'] as Tensor)
}

/** B5: five steps of micro-batches, the first of them under expert choice, and the evaluation after them. */
export async function checkLayerTraining(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const layer = paperB(c, {
    ...policyOf({ ...c, policy: 'threshold' }),
    warmUp: c.threshold_warmup_steps,
  } as never)
  const [b1, b2] = c.adam_betas
  const optimizer = adam({ lr: c.lr, betas: [b1, b2], epsilon: c.adam_eps })
  const start = paramsOf(layer, v, engineName)
  const trainer = await layer.trainer(probe.backend, start, layer.initialState(), { optimizer })
  const compare = comparing(v, probe)
  const near = (name: string, got: Tensor, step: number) => {
    const want = sliceAt(v.get(name), step)
    return probe.compare(`${name} ${step}`, shaped(got, want.shape), want, v.tolerance(name))
  }
  const form = { batch: c.B, steps: c.T, rows: all(c), training: true }
  try {
    for (let s = 0; s < 5; s++) {
      const [batches, targets] = [v.get(`input.batch${s}`), v.get(`input.target${s}`)]
      const losses: number[] = []
      for (let m = 0; m < c.M; m++) {
        const [x, y] = [sliceAt(batches, m), sliceAt(targets, m)]
        const feeds = { ...(await trainer.params()), x }
        const { mask } = await decided(layer, probe, form, feeds, await trainer.state())
        const want = sliceAt(sliceAt(v.get('output.masks'), s), m)
        await probe.compare(`output.masks ${s}/${m}`, shaped(int(mask as Tensor), want.shape), want)
        losses.push(await (await trainer.accumulate({ x, targets: y })).loss())
      }
      await trainer.apply()
      await near('output.train_loss', float([losses.reduce((a, b) => a + b, 0) / c.M]), s)
      await near('output.ema_raw', (await trainer.state()).cutoff as Tensor, s)
    }
    const [params, state] = [await trainer.params(), await trainer.state()]
    await compare('output.effective_cutoff', float(cutoffsOf(layer.policy, state)))
    const { y } = await layer.run(probe.backend, params, state, sliceAt(v.get('input.batch0'), 0))
    await compare('output.eval_y', y)
    for (const [name, t] of Object.entries(params)) await compare(`after5.${engineName(name)}`, t)
  } finally {
    await trainer.dispose()
    await layer.release(probe.backend)
  }
}

/** Experts of a stacked parameter (E · out, in), one after the other. */
function unstacked(stack: Tensor, experts: number, index: number, shape: readonly number[]): Tensor {
  const size = stack.data.length / experts
  return { ...stack, shape, data: stack.data.slice(index * size, (index + 1) * size) as Tensor['data'] }
}

/** B6: what token choice returns through its experts, and every gradient of its loss. */
export async function checkTokenChoiceLayer(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const layer = paperB(c, { ...tokenChoice(c), balance: c.aux_loss_coef } as never)
  const expert = /^experts\.(\d+)\.(0|2)\.weight$/
  const scriptName = (name: string) =>
    engineName(name)
      .replace('engine.', '')
      .replace(/\.\d+$/, '')
  const part = (name: string, t: Tensor, shape: readonly number[]) => {
    const at = expert.exec(name)
    return at ? unstacked(t, c.E, Number(at[1]), shape) : shaped(t, shape)
  }
  const params = Object.fromEntries(
    layer.params.map(({ name, shape }) => [name, part(name, v.get(`param.${scriptName(name)}`), shape)]),
  )
  const bias = optional(v, 'param.router_bias')
  const state = { ...layer.initialState(), ...(bias ? { bias } : {}) }
  const [x, targets] = [v.get('input.x'), v.get('input.target')]
  const compare = comparing(v, probe)
  const { y, load } = await layer.run(probe.backend, params, state, x)
  await layer.release(probe.backend)
  await compare('output.y', y)
  await compare('output.expert_usage', usageOf(load, c))
  const found = await lossOf(layer, probe, { batch: c.B, steps: c.T }, { ...params, x, targets }, state)
  await compare('output.loss', found.task as Tensor)
  await compare('grad.input.x', found['grad/x'] as Tensor)
  for (const { name, shape } of layer.params) {
    const script = `grad.${scriptName(name)}`
    await probe.compare(
      script,
      found[`grad/${name}`] as Tensor,
      part(name, v.get(script), shape),
      v.tolerance(script),
    )
  }
}

/** Share of the tokens that each expert took; the script counts a shared one first. */
const usageOf = (load: Tensor, c: Script): Tensor =>
  float([...(c.shared === 1 ? [1] : []), ...Array.from(load.data, (n) => n / (c.B * c.T))])

/** S4.layer: the sum of the experts above their thresholds, step by step; the loss of all steps reaches the experts alone. */
export async function checkCosineLayer(entry: VectorEntry, probe: Probe): Promise<void> {
  const v = await openVectors(entry)
  const c = scriptOf(entry)
  const layer = createMoeLayer({
    dim: c.D,
    experts: c.E,
    router: { select: { kind: 'cosine-threshold', decay: c.decay, weights: 'binary' } },
    expert: { width: c.expert_dim, activation: 'relu', bias: true },
    residual: false,
  })
  const scriptName = (name: string) => name.replace('router.', '')
  const params = paramsOf(layer, v, scriptName)
  const optimizer = adam({ lr: 0 })
  const first = { ...layer.initialState(), cutoff: v.get('input.thresholds0') }
  const trainer = await layer.trainer(probe.backend, params, first, { optimizer })
  const [steps, batch, time] = [c.S, c.B, c.T]
  const totals = new Map<string, Float64Array>()
  const [losses, variances] = [[] as number[], [] as number[]]
  const near = (name: string, got: Tensor, s: number) => {
    const want = sliceAt(v.get(name), s)
    return probe.compare(`${name} ${s}`, shaped(got, want.shape), want, v.tolerance(name))
  }
  try {
    for (let s = 0; s < steps; s++) {
      const [x, targets] = [sliceAt(v.get('input.x'), s), sliceAt(v.get('input.target'), s)]
      const state = await trainer.state()
      const run = await layer.run(probe.backend, params, state, x, { details: true })
      await near('output.y', run.y, s)
      await near('output.routing', int(run.mask), s)
      const loads = Array.from(run.load.data)
      const mean = loads.reduce((a, b) => a + b, 0) / c.E
      variances.push(loads.reduce((a, n) => a + (n - mean) ** 2, 0) / c.E)
      const form = { batch, steps: time, rows: all(c), training: true }
      const found = await lossOf(layer, probe, form, { ...params, x, targets }, state)
      losses.push((found.loss as Tensor).data[0] as number)
      for (const { name, shape } of layer.params) {
        const g = (found[`grad/${name}`] as Tensor).data
        const sum = totals.get(name) ?? new Float64Array(shape.reduce((a, b) => a * b, 1))
        g.forEach((d: number, i: number) => {
          ;(sum[i] as number) += d
        })
        totals.set(name, sum)
      }
      const step = await trainer.step({ x, targets })
      await probe.compare(
        'trained loss',
        float([await step.loss()]),
        float([losses.at(-1) as number]),
        v.tolerance('output.loss'),
      )
      await near('output.thresholds', (await trainer.state()).cutoff as Tensor, s)
    }
  } finally {
    await trainer.dispose()
    await layer.release(probe.backend)
  }
  const compare = comparing(v, probe)
  await compare('output.load_variance', float(variances))
  await compare('output.loss', float([losses.reduce((a, b) => a + b, 0)]))
  for (const { name, shape } of layer.params)
    await compare(`grad.${scriptName(name)}`, {
      dtype: 'float32',
      shape,
      data: totals.get(name) as Float64Array,
    })
  const still = totals.get('router.expert_prototypes') as Float64Array
  await probe.compare(
    'grad of prototypes',
    tensor(Float32Array.from(still)),
    tensor(new Float32Array(still.length)),
  )
}

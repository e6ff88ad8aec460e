/** Golden language models, in both forms: logits, gates, losses, every gradient, and parameters after five Adam steps. */
import {
  adam,
  createLanguageModel,
  gradients,
  type LanguageModel,
  type LanguageModelBatch,
  type LanguageModelConfig,
  type Params,
  type RouterConfig,
  type Tensor,
  tensor,
  toHost,
} from '@fep-moe/core'
import type { Probe } from '../frame/probe.js'
import { openVectors, type VectorEntry, type Vectors } from './vectors.js'

interface LanguageModelScript {
  readonly D: number
  readonly E: number
  readonly V: number
  readonly B: number
  readonly T: number
  readonly switch_pos: number
  readonly trans_weight: number
  readonly pred_coeff: number
  readonly lr: number
  readonly adam_betas: readonly [number, number]
  readonly adam_eps: number
  readonly ln_eps: number
}

const beta = { kind: 'leaky', learned: true } as const
const ROUTERS: Readonly<Record<string, RouterConfig>> = {
  standard: {},
  beta: { memory: beta },
  beta_ant: { memory: beta, anticipation: { kind: 'additive' } },
}

/** Runs a golden language model in one of its forms. */
export const checkLanguageModel =
  (form: NonNullable<LanguageModelConfig['form']>) =>
  async (entry: VectorEntry, probe: Probe): Promise<void> => {
    const v = await openVectors(entry)
    const c = entry.config as unknown as LanguageModelScript
    const model = createLanguageModel({
      vocabulary: c.V,
      dim: c.D,
      experts: c.E,
      router: ROUTERS[entry.id.split('.')[2] as string] as RouterConfig,
      epsilon: c.ln_eps,
      form,
    })
    const params = Object.fromEntries(model.params.map(({ name }) => [name, v.get(`param.${name}`)]))
    const loss = { predictionWeight: model.gate.anticipation ? c.pred_coeff : 0 }
    const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
    const batch = batchOf(v, c, 0)
    try {
      const { logits, weights } = await model.run(probe.backend, params, batch.x)
      await compare('output.logits', logits)
      await compare('output.gates', weights)
      const losses = await model.evaluate(probe.backend, params, batch, loss)
      await compare('output.loss', tensor([losses.loss]))
      await compare('output.tok_loss', losses.tokenLoss)
      await compare('output.pred_loss', tensor([losses.predictionLoss]))
      await backward(model, params, batch, loss, v, probe)
      await train(model, params, loss, v, c, probe)
    } finally {
      await model.release(probe.backend)
    }
  }

/** Tokens of a stored batch, the step before the switch weighted. */
function batchOf(
  v: Vectors,
  c: LanguageModelScript,
  index: number,
): LanguageModelBatch & { weights: Tensor } {
  const x = v.get(`input.x${index}`)
  const steps = x.shape[1] as number
  const weights = Float32Array.from(x.data, (_, i) => (i % steps === c.switch_pos - 1 ? c.trans_weight : 1))
  return { x, y: v.get(`input.y${index}`), weights: tensor(weights, x.shape) }
}

async function backward(
  model: LanguageModel,
  params: Params,
  { x, y, weights }: LanguageModelBatch & { weights: Tensor },
  loss: { readonly predictionWeight: number },
  v: Vectors,
  probe: Probe,
): Promise<void> {
  const graph = model.lossGraph({ steps: x.shape[1] as number, weights: true }, loss)
  const wrt = model.params.map((p) => p.name)
  const program = await probe.backend.compile(gradients(graph, { of: 'loss', wrt }))
  try {
    const fetched = await program.run({ ...params, x, y, weights })
    for (const name of wrt) {
      const g = await toHost(probe.present(`grad/${name}`, fetched[`grad/${name}`]))
      await probe.compare(`grad.${name}`, g, v.get(`grad.${name}`), v.tolerance(`grad.${name}`))
    }
    for (const t of Object.values(fetched)) t.dispose()
  } finally {
    program.dispose()
  }
}

async function train(
  model: LanguageModel,
  params: Params,
  loss: { readonly predictionWeight: number },
  v: Vectors,
  c: LanguageModelScript,
  probe: Probe,
): Promise<void> {
  const [b1, b2] = c.adam_betas
  const optimizer = adam({ lr: c.lr, betas: [b1, b2], epsilon: c.adam_eps })
  const trainer = await model.trainer(probe.backend, params, { optimizer, loss })
  const losses: number[] = []
  try {
    for (let step = 0; step < 5; step++) losses.push(await (await trainer.step(batchOf(v, c, step))).loss())
    const compare = (name: string, t: Tensor) => probe.compare(name, t, v.get(name), v.tolerance(name))
    await compare('output.train_loss', tensor(losses))
    for (const [name, t] of Object.entries(await trainer.params())) await compare(`after5.${name}`, t)
  } finally {
    await trainer.dispose()
  }
}

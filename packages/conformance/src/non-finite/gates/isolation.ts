/** A token that is not finite is the business of its own sequence: the others of the batch do not notice. */
import { createGate, type Gate, type Params, type Tensor } from '@fep-moe/core'
import type { ProcedureCase } from '../../frame/case.js'
import { noise } from '../../frame/data.js'
import type { Probe } from '../../frame/probe.js'
import { stepsOf } from '../../frame/steps.js'
import { judgedOf } from '../policy.js'
import { SPECIALS } from '../subject.js'
import { BATCH, CONFIGS, type Decision, DIM, decisionOf, EXPERTS, gateCase, inRange, STEPS } from './scene.js'

const POISONED = { sequence: 1, step: 2, feature: 3 }

/** The tokens with one number replaced. */
function poisoned(x: Tensor, value: number): Tensor {
  const data = Float32Array.from(x.data)
  data[(POISONED.sequence * STEPS + POISONED.step) * DIM + POISONED.feature] = value
  return { ...x, data }
}

const sequenceOf = (t: Tensor, s: number): Tensor => {
  const width = t.data.length / BATCH
  return {
    ...t,
    shape: [1, ...t.shape.slice(1)],
    data: t.data.slice(s * width, (s + 1) * width) as Tensor['data'],
  }
}

async function checkIsolation(probe: Probe, gate: Gate, params: Params): Promise<void> {
  const x = noise(655, [BATCH, STEPS, DIM], -2, 2)
  const shared = gate.config.precision && gate.config.precision.scope !== 'tracked'
  const options = shared ? { precision: noise(656, [EXPERTS], 0.3, 4) } : {}
  await gate.ready()
  const judged = judgedOf(gate.graph({ steps: STEPS }), probe.backend.capabilities)
  const clean = decisionOf(await gate.route(probe.backend, params, x, options))
  const cotangents = { logits: noise(657, [BATCH, STEPS, EXPERTS]) }
  const pull = async (tokens: Tensor) => {
    const { vjp } = await gate.vjp(probe.backend, params, tokens, options)
    return probe.present('gradient of x', (await vjp(cotangents)).x)
  }
  const gradient = await pull(x)
  for (const [name, value] of Object.entries(SPECIALS)) {
    const spoiled = poisoned(x, value)
    const got = decisionOf(await gate.route(probe.backend, params, spoiled, options))
    probe.check(
      inRange(got.indices, gate.config),
      `${name}: indices must name experts, whatever the token is`,
    )
    const gotGradient = await pull(spoiled)
    for (const s of [0, 2]) {
      for (const [key, want] of Object.entries(clean))
        await probe.compare(
          `${key} of sequence ${s} beside ${name}`,
          sequenceOf(got[key as keyof Decision] as Tensor, s),
          sequenceOf(want, s),
        )
      await probe.compare(
        `gradient of sequence ${s} beside ${name}`,
        sequenceOf(gotGradient, s),
        sequenceOf(gradient, s),
      )
    }
    // An oracle reads the token one step ahead.
    const before = POISONED.step - (gate.causal ? 0 : 1)
    if (judged === 'all')
      for (const [key, want] of Object.entries(clean))
        await probe.compare(
          `${key} before ${name}`,
          stepsOf(sequenceOf(got[key as keyof Decision] as Tensor, POISONED.sequence), 0, before),
          stepsOf(sequenceOf(want, POISONED.sequence), 0, before),
        )
  }
  await gate.release(probe.backend)
}

export const isolation = (): ProcedureCase[] =>
  Object.entries(CONFIGS).map(([name, config]) =>
    gateCase(`isolation/${name}`, 654, 'not a bit of another sequence differs', (probe) => {
      const gate = createGate(config)
      return checkIsolation(probe, gate, gate.init({ seed: 654 }))
    }),
  )

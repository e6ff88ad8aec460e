/** Random gates for properties: a configuration, sizes, a seed for everything that is drawn, and places to cut at. */
import { createGate, type Gate, type GateConfig, type Params, type Tensor } from '@fep-moe/core'
import * as fc from 'fast-check'
import { noise } from '../frame/data.js'
import { stepsOf } from '../frame/steps.js'
import { gateConfigs } from '../fuzz/gates/recipe.js'
import { cutTold, type Told, toldTo } from '../gates/case.js'

/** What properties draw. Plain data, so that a counterexample can be read and pasted. */
export interface Drawn {
  readonly config: GateConfig
  readonly batch: number
  readonly steps: number
  readonly seed: number
  /** Numbers that a property uses as it likes, modulo what it needs. */
  readonly at: readonly number[]
}

const drawn = (configs: fc.Arbitrary<GateConfig>): fc.Arbitrary<Drawn> =>
  fc.noBias(
    fc.record({
      config: configs,
      batch: fc.integer({ min: 1, max: 4 }),
      steps: fc.integer({ min: 2, max: 9 }),
      seed: fc.noShrink(fc.nat({ max: 2 ** 30 })),
      at: fc.array(fc.nat({ max: 5039 }), { minLength: 6, maxLength: 6 }),
    }),
  )

/** Any gate. */
export const gates = drawn(gateConfigs)
/** Gates that decide without looking ahead. */
export const causalGates = drawn(gateConfigs.filter((config) => config.router !== 'oracle'))
/** The oracle. */
export const oracles = drawn(
  gateConfigs.map(({ dim, experts, bias, select }) => ({
    dim,
    experts,
    router: 'oracle' as const,
    ...(bias === undefined ? {} : { bias }),
    ...(select && select.kind !== 'spike' ? { select } : {}),
  })),
)

/** A gate at work. */
export interface Scene {
  readonly gate: Gate
  readonly params: Params
  /** (B,T,d) */
  readonly x: Tensor
  readonly precision: Told
}

/** Sets the scene. */
export function sceneOf({ config, batch, steps, seed }: Drawn): Scene {
  const gate = createGate(config)
  return {
    gate,
    params: gate.init({ seed }),
    x: noise(seed + 1, [batch, steps, config.dim], -2, 2),
    precision: toldTo(config, batch, steps, seed + 2),
  }
}

/** `x` with the tokens from a step on replaced by others. */
export function editedFrom(x: Tensor, step: number, seed: number): Tensor {
  const [batch, steps, dim] = x.shape as [number, number, number]
  const other = noise(seed, x.shape, -2, 2).data
  const data = x.data.slice()
  for (let b = 0; b < batch; b++) {
    const [from, to] = [(b * steps + step) * dim, (b + 1) * steps * dim]
    data.set(other.subarray(from, to) as Float32Array, from)
  }
  return { ...x, data: data as Tensor['data'] }
}

/** What is told of some steps, where it differs by step. */
export const precisionOfSteps = (told: Told, from: number, to: number): Told =>
  cutTold(told, (t) => stepsOf(t, from, to))

/** One sequence of (B,T,…), as a batch of one. */
export function sequenceOf(t: Tensor, row: number): Tensor {
  const [batch] = t.shape as [number]
  const width = t.data.length / batch
  const data = t.data.slice(row * width, (row + 1) * width) as Tensor['data']
  return { ...t, shape: [1, ...t.shape.slice(1)], data }
}

/** A random gate's parameters, tokens, resets, Π and targets, made from its recipe's seed. */
import {
  adam,
  createGate,
  type Gate,
  type Optimizer,
  type Params,
  sgd,
  type Tensor,
  type TrainingBatch,
  tensor,
} from '@fep-moe/core'
import { resolveLoss, scoredSteps } from '@fep-moe/core/training'
import { generator, noise } from '../../frame/data.js'
import { type Told, toldTo } from '../../gates/case.js'
import type { GateRecipe } from './recipe.js'

/** See the file's header. */
export interface Scene {
  readonly gate: Gate
  readonly params: Params
  /** (B,T,d) */
  readonly x: Tensor
  /** bool (B,T), where the recipe has one. */
  readonly reset: Tensor | undefined
  readonly precision: Told
}

/** The scene of a recipe. */
export function sceneOf({ config, batch, steps, seed, reset }: GateRecipe): Scene {
  const gate = createGate(config)
  return {
    gate,
    params: gate.init({ seed }),
    x: noise(seed + 1, [batch, steps, config.dim], -2, 2),
    reset: reset ? flags(seed + 2, [batch, steps]) : undefined,
    precision: toldTo(config, batch, steps, seed + 3),
  }
}

/** Booleans, a fourth of them true. */
export function flags(seed: number, shape: readonly [number, number]): Tensor {
  const next = generator(seed)
  return tensor(
    Uint8Array.from({ length: shape[0] * shape[1] }, () => (next() < 0.25 ? 1 : 0)),
    shape,
    'bool',
  )
}

/** The recipe's loss; an oracle needs two steps at least. */
export const stepsOf = ({ config, steps }: GateRecipe): number =>
  config.router === 'oracle' ? Math.max(steps, 2) : steps

/** One training batch. */
export function trainingBatch(recipe: GateRecipe, { gate, reset }: Scene): TrainingBatch {
  const { config, batch, seed, loss, mask } = recipe
  const steps = stepsOf(recipe)
  const scored = scoredSteps(steps, resolveLoss(gate.config, loss))
  const next = generator(seed + 4)
  const targets =
    loss.kind === 'mse'
      ? noise(seed + 4, [batch, scored, config.experts], 0, 1)
      : tensor(
          Int32Array.from({ length: batch * scored }, () => Math.floor(next() * config.experts)),
          [batch, scored],
        )
  return {
    x: noise(seed + 1, [batch, steps, config.dim], -2, 2),
    targets,
    ...(mask ? { mask: noise(seed + 5, [batch, scored], 0.5, 1.5) } : {}),
    ...(reset ? { reset: flags(seed + 2, [batch, steps]) } : {}),
    ...toldTo(config, batch, steps, seed + 3),
  }
}

/** The recipe's optimizer. */
export function optimizerOf({ optimizer }: GateRecipe): Optimizer {
  if (optimizer === 'adam') return adam({ lr: 0.01 })
  return sgd({ lr: 0.1, momentum: optimizer === 'momentum' ? 0.9 : 0 })
}

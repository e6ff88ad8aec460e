import { accuracy, atStep, gateMass, random, tensor, transpose } from '@fep-moe/core'
import { describe, expect, it } from 'vitest'
import { meanWeights, scoreSteps } from '../src/index.js'

const experts = 4
const [steps, batch] = [5, 7]
const stream = random(1, 'scores')
const logits = tensor(new Float32Array(experts * steps * batch), [experts, steps, batch])
stream.fillNormal(logits.data as Float32Array, 0, 3)
const targets = tensor(new Int32Array(steps * batch), [steps, batch])
stream.fillInt(targets.data as Int32Array, experts)

describe('scoreSteps', () => {
  it('agrees with core’s metrics on transposed data', () => {
    const rows = transpose(logits, [2, 1, 0])
    const right = transpose(targets, [1, 0])
    const weights = tensor(Float32Array.from(rows.data), rows.shape)
    for (let r = 0; r < weights.data.length; r += experts) {
      const exps = Array.from(rows.data.subarray(r, r + experts), (z) => Math.exp(z))
      const total = exps.reduce((a, b) => a + b, 0)
      for (let e = 0; e < experts; e++) weights.data[r + e] = (exps[e] as number) / total
    }
    const scores = scoreSteps(logits, targets, 2)
    expect(scores.accuracyAll).toBeCloseTo(accuracy(rows, right), 12)
    expect(scores.accuracyAt).toBeCloseTo(accuracy(atStep(rows, 2), atStep(right, 2)), 12)
    expect(scores.massAll).toBeCloseTo(gateMass(weights, right), 6)
    expect(scores.accuracy).toHaveLength(steps)
    expect(scores.accuracy[2]).toBe(scores.accuracyAt)
    expect(scores.mass[2]).toBe(scores.massAt)
    const means = meanWeights(logits, batch)
    for (let e = 0; e < experts; e++) {
      const list = Array.from(
        { length: batch },
        (_, b) => weights.data[(b * steps + 3) * experts + e] as number,
      )
      expect(means[e]?.[3]).toBeCloseTo(list.reduce((a, b) => a + b, 0) / batch, 6)
    }
    expect(scores.massAt).toBeCloseTo(gateMass(atStep(weights, 2), atStep(right, 2)), 6)
  })

  it('gives ties to the lower index and survives large logits', () => {
    const flat = tensor([[[0]], [[0]]], [2, 1, 1])
    expect(scoreSteps(flat, tensor(Int32Array.of(0), [1, 1]), 0)).toMatchObject({
      accuracyAll: 1,
      massAll: 0.5,
    })
    expect(scoreSteps(flat, tensor(Int32Array.of(1), [1, 1]), 0)).toMatchObject({
      accuracyAll: 0,
      massAll: 0.5,
    })
    const large = tensor([[[3e38]], [[-3e38]]], [2, 1, 1])
    expect(scoreSteps(large, tensor(Int32Array.of(0), [1, 1]), 0).massAll).toBe(1)
  })

  it('refuses what does not fit', () => {
    const bad = expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' })
    expect(() => scoreSteps(logits, transpose(targets, [1, 0]), 0)).toThrow(bad)
    expect(() => scoreSteps(logits, targets, steps)).toThrow(bad)
    for (const sequences of [0, 1.5, batch + 1]) expect(() => meanWeights(logits, sequences)).toThrow(bad)
  })
})

/** What averaged cutoffs do to loads, in figures: docs/mechanisms/expert-threshold.md quotes them. */
import { describe, expect, it } from 'vitest'
import { random, type Tensor, tensor } from '../src/index.js'
import {
  adapt,
  cutoffsOf,
  initialPolicyState,
  type PolicyState,
  resolvePolicy,
  type ThresholdConfig,
  withCutoffs,
} from '../src/policies/index.js'

const EXPERTS = 4

/** Standard normal logits. */
function normals(seed: number, tokens: number): Tensor {
  const data = new Float32Array(tokens * EXPERTS)
  random(seed).fillNormal(data)
  return tensor(data, [tokens, EXPERTS])
}

/** Share of tokens of each expert. */
function shares(logits: Tensor, cutoffs: readonly number[]): number[] {
  const counts = new Array<number>(EXPERTS).fill(0)
  logits.data.forEach((z: number, i: number) => {
    if (z >= (cutoffs[i % EXPERTS] as number)) (counts[i % EXPERTS] as number)++
  })
  return counts.map((n) => n / (logits.data.length / EXPERTS))
}

const quarter = (rest: Partial<ThresholdConfig> = {}) =>
  resolvePolicy({ kind: 'threshold', granularity: 1, expansion: 4, ...rest }, EXPERTS)

const TOKENS = 64
/** Starts with one cutoff far too high. @returns the first update with a token, and with 90 % of the share */
function recovery(reviveAfter: number | null, updates: number): { first: number; most: number } {
  const policy = quarter({ reviveAfter })
  let state = withCutoffs(policy, initialPolicyState(policy), [0.67, 0.67, 0.67, 10])
  let [first, most] = [-1, -1]
  for (let update = 0; update < updates && most < 0; update++) {
    const logits = normals(update, TOKENS)
    const [, , , share] = shares(logits, cutoffsOf(policy, state)) as [number, number, number, number]
    if (first < 0 && share > 0) first = update
    if (share >= 0.9 / 4) most = update
    state = adapt(policy, state, logits)
  }
  return { first, most }
}

describe('an expert whose cutoff is far too high', () => {
  it('waits for the average to come down', () => {
    const { first, most } = recovery(null, 4000)
    expect(first).toBeGreaterThan(900)
    expect(most).toBeGreaterThan(2 * first)
  })

  it('has its share again at the update at which it is revived', () => {
    expect(recovery(5, 10)).toEqual({ first: 5, most: 5 })
  })
})

describe('the load under averaged cutoffs', () => {
  const loadAfter = (tokens: number, updates: number) => {
    const policy = quarter()
    let state: PolicyState = initialPolicyState(policy)
    for (let update = 0; update < updates; update++) state = adapt(policy, state, normals(update, tokens))
    const each = shares(normals(9999, 65536), cutoffsOf(policy, state))
    return each.reduce((a, b) => a + b, 0) / EXPERTS
  }

  it('is the share of the batch that the k-th largest stands for: small batches give less', () => {
    expect(loadAfter(16, 1500)).toBeCloseTo(0.223, 2)
    expect(loadAfter(64, 1500)).toBeCloseTo(0.244, 2)
    expect(loadAfter(256, 1500)).toBeCloseTo(0.25, 2)
  })
})

import { describe, expect, it } from 'vitest'
import { domainSwitchBounds, openDomainSwitch } from '../src/index.js'

describe('exact bounds of the domain-switch task', () => {
  it('are the known figures at the paper’s values', () => {
    const { stateless, nextToken, fullHistory } = domainSwitchBounds()
    expect(stateless.all).toBeCloseTo(0.904, 4)
    expect(stateless.transition).toBeCloseTo(0.00621, 5)
    expect(nextToken.transition).toBeCloseTo(nextToken.all, 12)
    expect(stateless.perStep).toHaveLength(11)
    expect(stateless.perStep[5]).toBe(stateless.transition)
    expect(fullHistory.perStep[0]).toBeCloseTo(nextToken.all, 12)
    expect(nextToken.all).toBeCloseTo(0.99379, 5)
    expect(fullHistory.all).toBeCloseTo(0.99942, 5)
    expect(fullHistory.transition).toBeCloseTo(1, 8)
  })

  it.each([
    ['the paper’s values', {}],
    ['more noise, odd timing', { noise: 2, steps: 9, switchAt: 3, dim: 6 }],
    ['two steps', { steps: 2, switchAt: 1 }],
  ])('agree with gates that reach them, by Monte Carlo: %s', (_, change) => {
    const stream = openDomainSwitch(change, 1)
    const { batch, steps, dim, switchAt } = stream.task
    const scored = steps - 1
    const batches = 60
    const hits = { stateless: [0, 0], nextToken: [0, 0], fullHistory: [0, 0] }
    for (let n = 0; n < batches; n++) {
      const { x, targets } = stream.next()
      for (let b = 0; b < batch; b++) {
        // Evidence of one token for domain 0: the difference of its half sums.
        const evidence = (t: number) => {
          let sum = 0
          for (let d = 0; d < dim; d++)
            sum += (d < dim / 2 ? 1 : -1) * (x.data[(d * steps + t) * batch + b] as number)
          return sum
        }
        let start = 0
        for (let t = 0; t < scored; t++) {
          start += (t < switchAt ? 1 : -1) * evidence(t)
          const right = targets.data[t * batch + b] as number
          const guesses = {
            stateless: scored > 1 ? evidence(t) : -evidence(t),
            nextToken: evidence(t + 1),
            fullHistory: t + 1 < switchAt ? start : -start,
          }
          for (const [name, guess] of Object.entries(guesses)) {
            const hit = (guess > 0 ? 0 : 2) === right ? 1 : 0
            const cell = hits[name as keyof typeof hits]
            cell[0] = (cell[0] as number) + hit
            if (t === switchAt - 1) cell[1] = (cell[1] as number) + hit
          }
        }
      }
    }
    const bounds = domainSwitchBounds(change)
    for (const [name, [all, transition]] of Object.entries(hits)) {
      const { all: p, transition: q } = bounds[name as keyof typeof bounds]
      const sequences = batches * batch
      // Four standard errors, for the mean over steps as if all its steps were one draw: an upper limit.
      const slack = (probability: number) =>
        4 * Math.sqrt((probability * (1 - probability)) / sequences) + 1e-4
      expect(Math.abs((all as number) / (sequences * scored) - p), `${name}, all`).toBeLessThan(slack(p))
      expect(Math.abs((transition as number) / sequences - q), `${name}, transition`).toBeLessThan(slack(q))
    }
  })
})

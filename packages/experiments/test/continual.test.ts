import { describe, expect, it } from 'vitest'
import { continual, continualBound, openContinual } from '../src/index.js'

describe('domains one after another', () => {
  it('have the shapes that a mixture takes, and a linear target', () => {
    const stream = openContinual({ targetNoise: 1e-6 }, 1)
    for (const domain of [0, 2]) {
      const { x, targets } = stream.next(domain)
      expect([x.shape, targets.shape]).toEqual([
        [64, 12, 15],
        [64, 12, 1],
      ])
      for (let i = 0; i < 20; i++) {
        let y = 0
        for (let d = 0; d < 15; d++)
          y += (stream.maps[domain * 15 + d] as number) * (x.data[i * 15 + d] as number)
        expect(targets.data[i]).toBeCloseTo(y, 4)
      }
    }
  })

  it('show the domain on its part of a token', () => {
    const stream = openContinual({ batch: 512 }, 2)
    const { x } = stream.next(1)
    const means = new Array<number>(15).fill(0)
    x.data.forEach((value, i) => {
      means[i % 15] = (means[i % 15] as number) + (value as number) / (512 * 12)
    })
    means.forEach((mean, d) => {
      expect(Math.abs(mean - (d >= 5 && d < 10 ? 1 : 0))).toBeLessThan(0.055)
    })
  })

  it('have the same maps under every name, and other batches', () => {
    const [a, b] = [openContinual({}, 4), openContinual({}, 4, 'evaluation')]
    expect(a.maps).toEqual(b.maps)
    expect(a.next(0).x.data).not.toEqual(b.next(0).x.data)
    expect(openContinual({}, 5).maps).not.toEqual(a.maps)
  })

  it('are known to the noise of the target by who is told, and hardly less well by who infers', () => {
    const { inferred, told } = continualBound({}, 4000, 1)
    expect(Math.abs(told.mean - continual.targetNoise ** 2)).toBeLessThan(5 * told.standardError)
    expect(inferred.mean).toBeGreaterThan(told.mean)
    // One token alone leaves more doubt than twelve.
    expect(continualBound({ steps: 1 }, 4000, 1).inferred.mean).toBeGreaterThan(2 * inferred.mean)
  })

  it('cannot be told apart where there is no signal: the bound is the variance between maps', () => {
    const task = { signal: 1e-9, steps: 2 }
    const { inferred } = continualBound(task, 30_000, 3)
    const { maps } = openContinual(task, 3)
    // E (y − ȳ)² with ȳ the mean over maps and x ~ N(0, σ² I).
    let variance = 0
    for (let d = 0; d < 15; d++) {
      const entries = [0, 1, 2].map((k) => maps[k * 15 + d] as number)
      const mean = entries.reduce((a, b) => a + b) / 3
      for (const c of entries) variance += (c - mean) ** 2 / 3
    }
    const expected = variance * continual.noise ** 2 + continual.targetNoise ** 2
    expect(Math.abs(inferred.mean - expected)).toBeLessThan(5 * inferred.standardError)
  })

  it.each([
    ['a width that does not divide', () => openContinual({ dim: 16 }, 1), 'FEP_BAD_CONFIG'],
    ['an unknown key', () => openContinual({ dims: 15 } as never, 1), 'FEP_BAD_CONFIG'],
    ['a domain that is none', () => openContinual({}, 1).next(3), 'FEP_BAD_ARGUMENT'],
    ['no sequences', () => continualBound({}, 0, 1), 'FEP_BAD_ARGUMENT'],
  ])('refuse %s', (_, attempt, code) => {
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })
})

import { describe, expect, it } from 'vitest'
import {
  openTwoAlphabets,
  resolveTwoAlphabets,
  type TwoAlphabets,
  twoAlphabets,
  twoAlphabetsBounds,
} from '../src/index.js'

/** All tokens of a batch, (B, letters). */
function lettersOf({ x, y }: ReturnType<ReturnType<typeof openTwoAlphabets>['next']>): number[][] {
  const [batch, steps] = x.shape as [number, number]
  return Array.from({ length: batch }, (_, b) => [
    x.data[b * steps] as number,
    ...Array.from(y.data.subarray(b * steps, (b + 1) * steps) as Int32Array),
  ])
}

describe('the text of two alphabets', () => {
  it('has the paper’s shapes, and y is x one letter later', () => {
    const batch = openTwoAlphabets({}, 42).next()
    expect(batch.x).toMatchObject({ dtype: 'int32', shape: [256, 63] })
    expect(batch.y).toMatchObject({ dtype: 'int32', shape: [256, 63] })
    for (let b = 0; b < 256; b++)
      expect(Array.from(batch.x.data.subarray(b * 63 + 1, (b + 1) * 63))).toEqual(
        Array.from(batch.y.data.subarray(b * 63, (b + 1) * 63 - 1)),
      )
  })

  it('changes the alphabet at the switch and nowhere else', () => {
    for (const text of lettersOf(openTwoAlphabets({}, 1).next()))
      text.forEach((letter, t) => {
        expect(letter >= 13).toBe(t >= 32)
        expect(letter).toBeGreaterThanOrEqual(0)
        expect(letter).toBeLessThan(26)
      })
  })

  it('goes on by one, by two, or anywhere, as often as it says; starts are uniform', () => {
    const stream = openTwoAlphabets({ batch: 2000 }, 7)
    const distances = new Array<number>(13).fill(0)
    const starts = [0, 32].map(() => new Array<number>(13).fill(0))
    for (const text of lettersOf(stream.next())) {
      for (let t = 1; t < 64; t++) {
        if (t === 32) continue
        const distance = ((text[t] as number) - (text[t - 1] as number) + 13) % 13
        distances[distance] = (distances[distance] as number) + 1 / (2000 * 62)
      }
      ;[0, 32].forEach((t, i) => {
        const letter = (text[t] as number) % 13
        ;(starts[i] as number[])[letter] = ((starts[i] as number[])[letter] as number) + 1 / 2000
      })
    }
    const rest = 0.15 / 13
    const want = (d: number) => rest + (d === 1 ? 0.7 : d === 2 ? 0.15 : 0)
    // Five standard errors of a share of 124,000 letters, and of 2,000 starts.
    distances.forEach((share, d) => {
      const p = want(d)
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 124_000))
    })
    for (const share of starts.flat())
      expect(Math.abs(share - 1 / 13)).toBeLessThan(5 * Math.sqrt(0.071 / 2000))
  })

  it('gives a seed the same bytes, and streams of one seed different ones', () => {
    // Arrays are reused from batch to batch: each one is read before the next is made.
    const read = (seed: number, name?: string) => {
      const stream = openTwoAlphabets({ batch: 4 }, seed, name)
      return [lettersOf(stream.next()), lettersOf(stream.next())]
    }
    expect(read(3)).toEqual(read(3))
    expect(read(3)[0]).not.toEqual(read(3)[1])
    expect(read(3)).not.toEqual(read(4))
    expect(read(3)).not.toEqual(read(3, 'scoring'))
  })

  it.each<[Partial<Record<keyof TwoAlphabets, unknown>>, RegExp]>([
    [{ vocabulary: 5 }, /task\.vocabulary is 5; accepted: an even number/],
    [{ vocabulary: 2 }, /task\.vocabulary is 2/],
    [{ letters: 2 }, /task\.letters is 2/],
    [{ switchAt: 63 }, /task\.switchAt is 63; accepted: an integer in 1\.\.62/],
    [{ switchAt: 0 }, /task\.switchAt is 0/],
    [{ next: 1.1 }, /task\.next is 1\.1; accepted: a number in 0\.\.1/],
    [{ next: Number.NaN }, /task\.next is NaN/],
    [{ next: 0.75, skip: 0.5 }, /task\.skip is 0\.5; accepted: a number in 0\.\.0\.25/],
    [{ batch: 0 }, /task\.batch is 0/],
    [{ colour: 1 } as never, /task\.colour is unknown here/],
  ])('refuses %j', (task, message) => {
    expect(() => resolveTwoAlphabets(task as Partial<TwoAlphabets>)).toThrow(message)
    expect(() => openTwoAlphabets(task as Partial<TwoAlphabets>, 1)).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_CONFIG' }),
    )
  })
})

describe('the bounds of the text', () => {
  const { stateless, fullHistory } = twoAlphabetsBounds()

  it('are log₂ 13 at the switch and 1.625 over all steps', () => {
    expect(fullHistory.transition).toBe(Math.log2(13))
    expect(fullHistory.all).toBeCloseTo(1.625, 3)
    expect(fullHistory.perStep).toHaveLength(63)
    expect(fullHistory.perStep.indexOf(fullHistory.transition)).toBe(31)
  })

  it('are reached by the text’s own probabilities', () => {
    const rest = 0.15 / 13
    const bits = lettersOf(openTwoAlphabets({ batch: 3000 }, 5).next()).flatMap((text) =>
      text.slice(1).map((letter, i) => {
        const distance = (letter - (text[i] as number) + 26) % 13
        return -Math.log2(i === 31 ? 1 / 13 : rest + (distance === 1 ? 0.7 : distance === 2 ? 0.15 : 0))
      }),
    )
    const mean = bits.reduce((a, b) => a + b, 0) / bits.length
    const variance = bits.reduce((a, b) => a + (b - mean) ** 2, 0) / bits.length
    expect(Math.abs(mean - fullHistory.all)).toBeLessThan(5 * Math.sqrt(variance / bits.length))
  })

  it('of one token minimize the weighted loss', () => {
    const within = fullHistory.perStep[0] as number
    const weighted = (q: number) => 31 * (within - Math.log2(1 - q)) + 5 * Math.log2(13 / q)
    const best = 31 * (stateless.perStep[0] as number) + 5 * stateless.transition
    for (let q = 0.01; q < 1; q += 0.01) expect(weighted(q)).toBeGreaterThanOrEqual(best)
    expect(weighted(5 / 36)).toBeCloseTo(best, 12)
    // Readiness costs bits before the switch only.
    expect(stateless.perStep.slice(32)).toEqual(fullHistory.perStep.slice(32))
    expect(stateless.all).toBeGreaterThan(fullHistory.all)
  })

  it('hold for a switch after the first letter, and for alphabets of two', () => {
    const early = twoAlphabetsBounds({ switchAt: 1 })
    expect(early.stateless).toEqual(early.fullHistory)
    const tiny = twoAlphabetsBounds({ vocabulary: 4, next: 0.5, skip: 0.5 })
    expect(tiny.fullHistory.perStep[0]).toBe(1)
  })

  it('have the paper’s values as their defaults', () => {
    expect(twoAlphabetsBounds(twoAlphabets, 5)).toEqual(twoAlphabetsBounds())
  })
})

import { describe, expect, it } from 'vitest'
import {
  alternatingAlphabetsBits,
  alternatingAlphabetsBounds,
  openAlternatingAlphabets,
  uniformly,
} from '../src/index.js'

const STEPS = 63

describe('the text of alphabets that alternate', () => {
  it('has the shapes of the paper’s text, and y is x one letter later', () => {
    const { x, y, switches } = openAlternatingAlphabets({}, 42).next()
    expect([x.dtype, x.shape, y.shape, switches.length]).toEqual(['int32', [256, 63], [256, 63], 256 * 63])
    for (let i = 0; i + 1 < x.data.length; i++)
      if ((i + 1) % STEPS !== 0) expect(x.data[i + 1]).toBe(y.data[i])
  })

  it('starts in the first alphabet, and changes after 8 to 12 letters, all alike', () => {
    const counts = new Map<number, number>()
    const stream = openAlternatingAlphabets({}, 1)
    for (let n = 0; n < 8; n++) {
      const { x, y, switches } = stream.next()
      for (let b = 0; b < 256; b++) {
        expect(x.data[b * STEPS]).toBeLessThan(13)
        let since = 0
        for (let t = 0; t < STEPS; t++) {
          const i = b * STEPS + t
          const changes = (x.data[i] as number) >= 13 !== (y.data[i] as number) >= 13
          expect(switches[i] === 1).toBe(changes)
          if (!changes) continue
          if (since <= STEPS - 12) counts.set(t + 1 - since, (counts.get(t + 1 - since) ?? 0) + 1)
          since = t + 1
        }
      }
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([8, 9, 10, 11, 12])
    const all = [...counts.values()].reduce((a, b) => a + b)
    for (const n of counts.values()) expect(Math.abs(n / all - 0.2)).toBeLessThan(5 * Math.sqrt(0.16 / all))
  })

  it.each([
    ['our durations', {}],
    ['durations without age', { duration: { kind: 'geometric', hazard: 0.1 } }],
    ['other letters', { vocabulary: 8, next: 0.5, skip: 0.5, duration: uniformly(1, 6), letters: 20 }],
    ['two letters an alphabet', { vocabulary: 4, duration: uniformly(3), letters: 12 }],
  ] as const)('has floors that the exact model reaches: %s', (_, task) => {
    const { fullHistory } = alternatingAlphabetsBounds(task)
    const stream = openAlternatingAlphabets({ ...task, batch: 8192 }, 3)
    const text = stream.next()
    const bits = alternatingAlphabetsBits(task, text)
    const steps = stream.task.letters - 1
    const perStep = new Array<number>(steps).fill(0)
    let [atSwitches, switches] = [0, 0]
    bits.forEach((paid, i) => {
      perStep[i % steps] = (perStep[i % steps] as number) + paid / 8192
      if (text.switches[i] === 0) return
      atSwitches += paid
      switches++
    })
    // A letter's bits deviate by less than 3 from their mean.
    const slack = (n: number) => (5 * 3) / Math.sqrt(n)
    perStep.forEach((mean, t) => {
      expect(Math.abs(mean - (fullHistory.perStep[t] as number)), `step ${t}`).toBeLessThan(slack(8192))
    })
    expect(Math.abs(atSwitches / switches - fullHistory.transition)).toBeLessThan(slack(switches))
    expect(fullHistory.all).toBeCloseTo(fullHistory.perStep.reduce((a, b) => a + b) / steps, 12)
  })

  it('is one letter after another where nothing ever switches', () => {
    const { fullHistory, clock } = alternatingAlphabetsBounds({ duration: { kind: 'forever' } })
    expect(fullHistory.all).toBeCloseTo(clock.all, 12)
    expect(fullHistory.transition).toBeNaN()
  })

  it('cannot be told by a clock that starts with the sequence', () => {
    const { clock, fullHistory } = alternatingAlphabetsBounds()
    // Where the first stay must still be the first one, both know the same.
    for (let t = 0; t < 8; t++) expect(clock.perStep[t]).toBeCloseTo(fullHistory.perStep[t] as number, 12)
    expect(clock.transition - fullHistory.transition).toBeGreaterThan(0.5)
    // Counted: how often an alphabet ends at a step, of all texts that are in it then.
    const batch = 20_000
    const { x, switches } = openAlternatingAlphabets({ batch }, 5).next()
    const t = 40
    const ends = [0, 0]
    const stays = [0, 0]
    for (let b = 0; b < batch; b++) {
      const i = b * STEPS + t
      const alphabet = (x.data[i] as number) >= 13 ? 1 : 0
      ends[alphabet] = (ends[alphabet] as number) + (switches[i] as number)
      stays[alphabet] = (stays[alphabet] as number) + 1
    }
    // What a letter inside an alphabet costs.
    const { all: within } = alternatingAlphabetsBounds({ duration: { kind: 'forever' } }).fullHistory
    const counted = [0, 1].reduce((sum, a) => {
      const [n, h] = [(stays[a] as number) / batch, (ends[a] as number) / (stays[a] as number)]
      const staying = (1 - h) * (within - Math.log2(1 - h))
      return sum + n * (h === 0 ? within : staying + h * Math.log2(13 / h))
    }, 0)
    expect(Math.abs(counted - (clock.perStep[t] as number))).toBeLessThan(0.02)
  })

  it('gives the same bytes for the same seed, others under another name', () => {
    const first = (seed: number, name?: string) =>
      openAlternatingAlphabets({}, seed, name).next().y.data.slice()
    expect(first(5)).toEqual(first(5))
    expect(first(5)).not.toEqual(first(6))
    expect(first(5)).not.toEqual(first(5, 'evaluation'))
  })

  it.each<[string, object, RegExp]>([
    ['an odd vocabulary', { vocabulary: 25 }, /task\.vocabulary is 25/],
    ['too much probability', { next: 0.9, skip: 0.2 }, /task\.skip is 0\.2/],
    ['durations upside down', { duration: uniformly(9, 8) }, /task\.duration/],
    ['the paper’s switch', { switchAt: 32 }, /task\.switchAt is unknown here/],
  ])('refuses %s', (_, task, message) => {
    const open = () => openAlternatingAlphabets(task, 1)
    expect(open).toThrow(message)
    expect(open).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })
})

import { describe, expect, it } from 'vitest'
import {
  bayesFilter,
  domainSwitchBounds,
  openSwitching,
  routingProbabilities,
  routingScorer,
  type SwitchingBatch,
  type SwitchingTask,
  switchingBound,
  switchingTasks,
  uniformly,
} from '../src/index.js'
import { enumerated } from './enumeration.js'

const { renewal, fixed, cued, gradual, unreliable } = switchingTasks

describe('the exact filter of a switching stream', () => {
  /** Small enough for every segmentation, noisy enough that nothing is sure. */
  const small = { batch: 3, steps: 6, dim: 6, domains: 3, experts: 3, noise: 1.5, scored: { from: 0, to: 6 } }
  /** Two domains with two experts each. */
  const pairs = {
    ...unreliable,
    ...small,
    steps: 3,
    domains: 2,
    dim: 4,
    experts: 4,
    successor: 1,
    duration: uniformly(1, 2),
    scored: { from: 0, to: 3 },
  } as const
  const cases: [string, SwitchingTask][] = [
    ['durations that renew', { ...renewal, ...small, duration: uniformly(1, 3) }],
    ['a constant duration', { ...renewal, ...small, duration: uniformly(2) }],
    ['durations without age', { ...renewal, ...small, duration: { kind: 'geometric', hazard: 0.3 } }],
    ['a first stay of its own', { ...renewal, ...small, duration: uniformly(2, 4), later: uniformly(1, 2) }],
    ['one switch', { ...fixed, ...small, duration: uniformly(2, 4), successor: 0.6 }],
    [
      'a first stay without age',
      { ...renewal, ...small, duration: { kind: 'geometric', hazard: 0.3 }, later: uniformly(2) },
    ],
    ['decoys', { ...fixed, ...small, domains: 2, experts: 6, duration: uniformly(3) }],
    ['a slow change of the mean', { ...gradual, ...small, duration: uniformly(2, 4), slide: 2 }],
    [
      'a slide as long as a stay',
      { ...gradual, ...small, duration: uniformly(3), slide: 3, later: { kind: 'forever' } },
    ],
    [
      'cues',
      {
        ...cued,
        ...small,
        dim: 7,
        duration: uniformly(2, 4),
        cue: { lead: 2, hits: 0.8, falseAlarms: 0.2, strength: 2 },
      },
    ],
    [
      'cues at the last step of a stay',
      {
        ...cued,
        ...small,
        dim: 7,
        duration: uniformly(1, 3),
        later: uniformly(2, 3),
        cue: { lead: 1, hits: 1, falseAlarms: 0, strength: 1 },
      },
    ],
    ['unreliable experts', pairs],
    [
      'errors that do not show the domain',
      {
        ...pairs,
        reliability: { flip: 0.2, reliable: 0.5, unreliable: 1, mismatch: 0 },
      },
    ],
    [
      'unreliable experts, cues',
      {
        ...cued,
        ...small,
        steps: 3,
        domains: 2,
        dim: 5,
        experts: 4,
        successor: 1,
        duration: uniformly(2, 3),
        scored: { from: 0, to: 3 },
        reliability: { flip: 0.1, reliable: 0.5, unreliable: 1, mismatch: 2 },
      },
    ],
  ]

  it.each(cases)('is what every segmentation adds up to: %s', (_, task) => {
    const stream = openSwitching(task, 5)
    const filter = bayesFilter(task)
    // The second batch too: a filter keeps nothing of the one before.
    stream.next()
    filter(stream.next())
    const batch = stream.next()
    const { probabilities } = filter(batch)
    const { steps, experts } = task
    for (let b = 0; b < task.batch; b++) {
      const expected = enumerated(task, batch, b)
      for (let e = 0; e < experts; e++)
        for (let t = 0; t < steps; t++)
          expect(probabilities[(e * steps + t) * task.batch + b], `expert ${e}, step ${t}`).toBeCloseTo(
            expected[e]?.[t] as number,
            // Errors are kept in single precision.
            task.reliability ? 6 : 12,
          )
    }
  })

  it('stays a distribution whatever the tokens', () => {
    const task = { ...renewal, batch: 1, noise: 1e-3 }
    const batch = openSwitching(task, 1).next()
    // No stream of this task shows another domain at every step, so each token contradicts what is possible.
    for (let t = 0; t < task.steps; t++)
      for (let d = 0; d < 16; d++) batch.x.data[d * task.steps + t] = Math.floor(d / 4) === t % 4 ? 1 : 0
    const { probabilities } = bayesFilter(task)(batch)
    for (let t = 0; t < task.steps; t++) {
      let sum = 0
      for (let e = 0; e < 4; e++) sum += probabilities[e * task.steps + t] as number
      expect(sum).toBeCloseTo(1, 12)
    }
  })
})

describe('bounds of switching streams', () => {
  it('of one switch at a fixed step is the ceiling by arithmetic', () => {
    const { all, switches } = switchingBound(fixed, 20_480, 3)
    const { fullHistory } = domainSwitchBounds()
    expect(Math.abs(all.accuracy.mean - fullHistory.all)).toBeLessThan(4 * all.accuracy.standardError)
    expect(switches.accuracy.mean).toBeCloseTo(fullHistory.transition, 4)
  })

  it('of renewal is what other code has found', () => {
    // The filter of a PyTorch trial on 20,000 streams of its own: .8479 and .3778.
    const { all } = switchingBound(renewal, 20_000, 1)
    expect(Math.abs(all.accuracy.mean - 0.8479)).toBeLessThan(0.0015)
    expect(Math.abs(all.logLoss.mean - 0.3778)).toBeLessThan(0.003)
    expect(all.accuracy.standardError).toBeLessThan(5e-4)
  })

  it('knows that nothing can be anticipated where durations have no age', () => {
    const { switches, all } = switchingBound(switchingTasks.geometric, 1024, 2)
    expect(switches.accuracy.mean).toBeLessThan(0.05)
    expect(all.accuracy.mean).toBeGreaterThan(0.75)
  })

  it('is calibrated: a mean of what it holds right is the mean of what is', () => {
    for (const task of Object.values(switchingTasks).filter(({ steps }) => steps <= 48)) {
      const { all } = switchingBound(task, 256, 4)
      // E p(right) = E Σ p², and the entropy of p is the mean of −log p(right): both follow from exactness alone.
      const stream = openSwitching({ ...task, batch: 256 }, 4, 'switching/bound')
      const { probabilities } = bayesFilter(stream.task)(stream.next())
      let [entropy, mass] = [0, 0]
      const tokens = task.steps * 256
      for (let t = task.scored.from; t < task.scored.to; t++)
        for (let i = t * 256; i < (t + 1) * 256; i++)
          for (let e = 0; e < task.experts; e++) {
            const p = probabilities[e * tokens + i] as number
            if (p > 0) entropy -= p * Math.log(p)
            mass += p * p
          }
      const count = 256 * (task.scored.to - task.scored.from)
      expect(Math.abs(mass / count - all.mass.mean)).toBeLessThan(6 * all.mass.standardError)
      expect(Math.abs(entropy / count - all.logLoss.mean)).toBeLessThan(6 * all.logLoss.standardError)
    }
  })

  it('gains from cues, and from errors', () => {
    const gain = (task: SwitchingTask, without: Partial<SwitchingTask>) =>
      switchingBound(task, 1024, 1).all.accuracy.mean -
      switchingBound({ ...task, ...without }, 1024, 1).all.accuracy.mean
    expect(gain(cued, { dim: 16, cue: null })).toBeGreaterThan(0.01)
    // With experts that are hardly different, errors say hardly anything: one of two is right.
    const alike = { flip: 0.05, reliable: 1, unreliable: 1.001, mismatch: 0 }
    expect(gain(unreliable, { reliability: alike })).toBeGreaterThan(0.1)
  })

  it('refuses no sequences', () => {
    expect(() => switchingBound(renewal, 0, 1)).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
  })
})

describe('switching streams', () => {
  const collect = (task: SwitchingTask, batches: number) => {
    const stream = openSwitching(task, 11)
    return Array.from({ length: batches }, () => {
      const { domains, targets, switches, x, cues } = stream.next()
      return {
        domains: domains.slice(),
        targets: targets.data.slice(),
        switches: switches.slice(),
        x,
        cues: cues?.slice(),
      }
    })
  }

  it('have the shapes that they say', () => {
    const batch = openSwitching(unreliable, 1).next()
    expect([batch.x.shape, batch.targets.shape, batch.errors?.shape]).toEqual([
      [16, 48, 256],
      [48, 256],
      [8, 48, 256],
    ])
    expect([batch.switches.length, batch.domains.length]).toEqual([48 * 256, 49 * 256])
    expect(batch.cues).toBeUndefined()
  })

  it('have durations and successors by their laws', () => {
    const lengths = new Map<number, number>()
    const follows = [0, 0, 0, 0]
    const B = renewal.batch
    for (const { domains } of collect(renewal, 20))
      for (let b = 0; b < B; b++) {
        let since = 0
        for (let t = 1; t <= 48; t++) {
          const [before, now] = [domains[(t - 1) * B + b] as number, domains[t * B + b] as number]
          if (before === now) continue
          // Stays that begin early enough to be seen whole, whatever they last.
          if (since <= 40) lengths.set(t - since, (lengths.get(t - since) ?? 0) + 1)
          const step = (now - before + 4) % 4
          follows[step] = (follows[step] as number) + 1
          since = t
        }
      }
    expect([...lengths.keys()].sort()).toEqual([4, 5, 6, 7, 8])
    const stays = [...lengths.values()].reduce((a, b) => a + b)
    for (const n of lengths.values())
      expect(Math.abs(n / stays - 0.2)).toBeLessThan(5 * Math.sqrt(0.16 / stays))
    const all = follows.reduce((a, b) => a + b)
    expect(Math.abs((follows[1] as number) / all - 0.9)).toBeLessThan(5 * Math.sqrt(0.09 / all))
    for (const n of [follows[2], follows[3]])
      expect(Math.abs((n as number) / all - 0.05)).toBeLessThan(5 * Math.sqrt(0.0475 / all))
  })

  it('aim at the domain of the next step, and mark where it is another one', () => {
    const [batch] = collect({ ...fixed, batch: 5 }, 1)
    for (let t = 0; t < 12; t++)
      for (let b = 0; b < 5; b++) {
        const next = batch?.domains[(t + 1) * 5 + b] as number
        expect(batch?.targets[t * 5 + b]).toBe(2 * next)
        expect(batch?.switches[t * 5 + b]).toBe(t === 5 ? 1 : 0)
        expect(next).toBe(t < 5 ? batch?.domains[b] : 1 - (batch?.domains[b] as number))
      }
  })

  it('put cues before switches and elsewhere as often as they say', () => {
    const counts = { due: [0, 0], other: [0, 0] }
    for (const { switches, cues } of collect(cued, 10))
      for (let i = 0; i + 256 < switches.length; i++) {
        // A switch two steps ahead: the next step's next domain is another one.
        const cell = switches[i + 256] ? counts.due : counts.other
        cell[0] = (cell[0] as number) + (cues?.[i] as number)
        cell[1] = (cell[1] as number) + 1
      }
    for (const [which, p] of [
      ['due', 0.9],
      ['other', 0.05],
    ] as const) {
      const [hits, n] = counts[which] as [number, number]
      expect(Math.abs(hits / n - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n))
    }
  })

  it('show reliability in errors, one step late', () => {
    const stream = openSwitching({ ...unreliable, reliability: { ...unreliable.reliability, flip: 1e-9 } }, 3)
    const { targets, errors, domains } = stream.next()
    const tokens = 48 * 256
    const sums = { right: [0, 0], twin: [0, 0], other: [0, 0] }
    for (let i = 256; i < tokens; i++) {
      const own = domains[i - 256] as number
      const right = targets.data[i - 256 * 2 < 0 ? i : i - 256] as number
      if (right >> 1 !== own) continue
      for (let e = 0; e < 8; e++) {
        const cell = sums[e === right ? 'right' : e >> 1 === own ? 'twin' : 'other']
        cell[0] = (cell[0] as number) + (errors?.data[e * tokens + i] as number)
        cell[1] = (cell[1] as number) + 1
      }
    }
    const mean = ([sum, n]: number[]) => (sum as number) / (n as number)
    expect(mean(sums.right)).toBeCloseTo(0.25, 1)
    expect(Math.abs(mean(sums.twin) - 2.25)).toBeLessThan(0.15)
    // Half of the others are reliable: 1 + (.25 + 2.25)/2.
    expect(Math.abs(mean(sums.other) - 2.25)).toBeLessThan(0.1)
    for (let i = 0; i < 256; i++) expect(errors?.data[i]).toBe(0)
  })

  it('give the same bytes for the same seed, others for another, and under another name', () => {
    const first = (seed: number, name?: string) => openSwitching(cued, seed, name).next().x.data.slice()
    expect(first(5)).toEqual(first(5))
    expect(first(5)).not.toEqual(first(6))
    expect(first(5)).not.toEqual(first(5, 'other'))
  })

  it.each<[string, object, RegExp]>([
    [
      'a width that does not divide',
      { dim: 15 },
      /task\.dim is 15; accepted: a multiple of task\.domains, 4/,
    ],
    ['decoys that do not divide', { experts: 5 }, /task\.experts is 5/],
    ['one domain', { domains: 1 }, /task\.domains is 1/],
    ['durations upside down', { duration: uniformly(8, 4) }, /task\.duration/],
    ['a duration of 0', { duration: uniformly(0, 4) }, /task\.duration\.least is 0/],
    ['an unknown law', { duration: { kind: 'poisson' } }, /task\.duration\.kind/],
    ['a hazard of 1', { duration: { kind: 'geometric', hazard: 1 } }, /task\.duration\.hazard is 1/],
    ['a probability above 1', { successor: 1.1 }, /task\.successor is 1\.1; accepted: a number in 0\.\.1/],
    [
      'others where there are none',
      { domains: 2, experts: 2, successor: 0.9 },
      /task\.successor is 0\.9; accepted: 1/,
    ],
    ['slides that meet', { slide: 5 }, /task\.slide is 5; accepted: 0\.\.4, the least duration/],
    ['a slide without durations', { slide: 2, duration: { kind: 'geometric', hazard: 0.1 } }, /task\.slide/],
    ['a cue without room', { cue: cued.cue }, /task\.dim is 16/],
    [
      'a cue before its stay',
      { dim: 17, cue: { ...cued.cue, lead: 5 } },
      /task\.cue\.lead is 5; accepted: 1\.\.4/,
    ],
    ['a cue of what has no end', { dim: 17, cue: cued.cue, later: { kind: 'forever' } }, /task\.cue/],
    ['a cue with a slide', { dim: 17, cue: cued.cue, slide: 2 }, /task\.cue/],
    [
      'one expert a domain that is unreliable',
      { reliability: unreliable.reliability },
      /task\.experts is 4; accepted: two/,
    ],
    ['scores beyond the end', { scored: { from: 0, to: 49 } }, /task\.scored\.to is 49; accepted: 1\.\.48/],
    ['no scores', { scored: { from: 9, to: 9 } }, /task\.scored\.from is 9; accepted: 0\.\.8/],
    ['an unknown key', { hazzard: 1 }, /task\.hazzard is unknown here/],
  ])('refuse %s', (_, change, message) => {
    const open = () => openSwitching({ ...renewal, ...change }, 1)
    expect(open).toThrow(message)
    expect(open).toThrow(expect.objectContaining({ code: 'FEP_BAD_CONFIG' }))
  })
})

describe('scores of routings', () => {
  it('are means over scored steps, with the error of a mean over sequences', () => {
    const scorer = routingScorer({ steps: 2, scored: { from: 0, to: 2 } })
    const batch = {
      targets: { dtype: 'int32', shape: [2, 2], data: Int32Array.of(0, 1, 1, 1) },
      switches: Uint8Array.of(1, 0, 0, 0),
    } as unknown as SwitchingBatch
    // Expert 0's probabilities of (t, b): .75, .5, .25, .25.
    scorer.add(batch, [0.75, 0.5, 0.25, 0.25, 0.25, 0.5, 0.75, 0.75])
    const { all, switches } = scorer.scores()
    expect(all.accuracy.mean).toBeCloseTo(0.75, 12) // a tie counts for the lower index
    expect(all.mass.mean).toBeCloseTo((0.75 + 0.5 + 0.75 + 0.75) / 4, 12)
    expect(all.logLoss.mean).toBeCloseTo(-(3 * Math.log(0.75) + Math.log(0.5)) / 4, 12)
    // Sequence means 1 and .5: their standard deviation over √2.
    expect(all.accuracy.standardError).toBeCloseTo(Math.sqrt(0.125) / Math.sqrt(2), 12)
    expect(switches.mass.mean).toBe(0.75)
  })

  it('take logits', () => {
    const logits = { dtype: 'float32', shape: [2, 1, 1], data: Float32Array.of(0, Math.log(3)) } as const
    expect(Array.from(routingProbabilities(logits))).toEqual([
      expect.closeTo(0.25, 6),
      expect.closeTo(0.75, 6),
    ])
  })

  it('refuse what does not fit', () => {
    const scorer = routingScorer(renewal)
    expect(() => scorer.add(openSwitching(renewal, 1).next(), [1])).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
    )
  })
})

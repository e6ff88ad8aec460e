import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FirstFit } from '../src/matvec/first-fit.js'

describe('FirstFit', () => {
  it('never lets blocks overlap, and gives everything back', () => {
    const action = fc.oneof(
      fc.record({ take: fc.integer({ min: 0, max: 3000 }) }),
      fc.record({ give: fc.nat(20) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const range = new FirstFit(16_384)
        const held: { from: number; to: number }[] = []
        for (const next of actions) {
          if ('give' in next) {
            const [block] = held.splice(next.give, 1)
            if (block) range.give(block.from)
            continue
          }
          const from = range.take(next.take)
          if (from === undefined) continue
          const to = from + next.take
          expect(from % 64).toBe(0)
          expect(to).toBeLessThanOrEqual(range.size)
          for (const other of held) expect(to <= other.from || from >= other.to).toBe(true)
          expect(held.some((other) => other.from === from)).toBe(false)
          held.push({ from, to })
        }
        for (const { from } of held) range.give(from)
        expect(range.used).toBe(0)
        expect(range.take(range.size)).toBe(0)
      }),
    )
  })

  it('takes the lowest gap that is wide enough', () => {
    const range = new FirstFit(1024)
    const [a, b, c] = [range.take(64), range.take(128), range.take(64)] as [number, number, number]
    range.give(a)
    range.give(b)
    expect(range.take(192)).toBe(0)
    expect(range.take(64)).toBe(c + 64)
  })

  it('says so where there is no room, until there is', () => {
    const range = new FirstFit(256)
    const all = range.take(256)
    expect(range.take(1)).toBeUndefined()
    range.give(12)
    expect(range.used).toBe(256)
    range.give(all as number)
    expect(range.take(300)).toBeUndefined()
    expect(range.take(256)).toBe(0)
  })
})

/** One step of the hidden chain: what a belief becomes before the next token is seen. */
import type { Chain } from './chain.js'

/**
 * Makes the prediction step.
 * @param pairStates states of the experts' pairs, 2^K, or 1
 * @param flip probability that a pair changes
 * @returns a function from a belief (pairStates,N) to the one a step later, which may not be the same array
 */
export function predictor(
  chain: Chain,
  pairStates: number,
  flip: number,
): (belief: Float64Array, out: Float64Array) => void {
  const places = chain.enter.length
  const ends = new Float64Array(chain.first.length - 1)
  return (belief, out) => {
    for (let r = 0; r < pairStates; r++) {
      moveOn(chain, belief, out, r * places, ends)
      enterLines(chain, out, r * places, ends)
    }
    // Pairs flip independently, so they mix one after another.
    for (let bit = 1; bit < pairStates; bit *= 2)
      for (let r = 0; r < pairStates; r++)
        if ((r & bit) === 0) mix(out, r * places, (r + bit) * places, places, flip)
  }
}

/** Stays that last, and how much of every line ends. */
function moveOn(
  { first, stay, advance, leave }: Chain,
  belief: Float64Array,
  out: Float64Array,
  at: number,
  ends: Float64Array,
): void {
  for (let s = 0; s < ends.length; s++) {
    const to = first[s + 1] as number
    let end = 0
    // What moves on to a place: of the first place of a line, nothing.
    let arriving = 0
    for (let n = first[s] as number; n < to; n++) {
      const p = belief[at + n] as number
      end += p * (leave[n] as number)
      out[at + n] = p * (stay[n] as number) + arriving
      arriving = p * (advance[n] as number)
    }
    ends[s] = end
  }
}

/** What has ended enters the lines that follow. */
function enterLines(
  { first, transition, enter }: Chain,
  out: Float64Array,
  at: number,
  ends: Float64Array,
): void {
  const lines = ends.length
  for (let s = 0; s < lines; s++) {
    let entering = 0
    for (let before = 0; before < lines; before++)
      entering += (ends[before] as number) * (transition[before * lines + s] as number)
    if (entering === 0) continue
    const to = first[s + 1] as number
    for (let n = first[s] as number; n < to; n++)
      out[at + n] = (out[at + n] as number) + entering * (enter[n] as number)
  }
}

/** Two runs of a belief exchange a share of what they hold. */
function mix(out: Float64Array, a: number, b: number, count: number, share: number): void {
  for (let n = 0; n < count; n++) {
    const p = out[a + n] as number
    const q = out[b + n] as number
    out[a + n] = p + share * (q - p)
    out[b + n] = q + share * (p - q)
  }
}

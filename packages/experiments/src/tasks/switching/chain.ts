/**
 * A switching stream as a hidden Markov chain: what its exact filter runs on. The hidden state is a stay (which domain,
 * after which one) and a place in it. Places of a kind of stay form a line; a stay enters its line, stays where it is,
 * moves on by one, or leaves for another line.
 *
 * Two forms of a line. By age: enter at 1, leave with the hazard. By steps left, where cues look ahead: enter at any
 * duration with its probability, move on surely, leave at the end. Both are exact, because a duration is all that a stay
 * remembers.
 */
import { type DurationLaw, hazards } from './durations.js'
import { type SwitchingTask, slid } from './task.js'

/** What a token's law depends on. */
export interface Emission {
  /** The mean is `gone` of the way from one domain's to the other's. */
  readonly from: number
  readonly to: number
  readonly gone: number
  /** Probability of a cue; 0 where the stream has none. */
  readonly cue: number
}

/** A chain of S lines with N places in all; line s has the places first[s]..first[s+1]−1. */
export interface Chain {
  readonly first: Int32Array
  /** (S): distribution of the first stay. */
  readonly start: Float64Array
  /** (S,S): which line follows. */
  readonly transition: Float64Array
  /** (N): where a stay enters its line; sums to 1 over a line. */
  readonly enter: Float64Array
  /** (N): probabilities of what comes after a step in a place; they sum to 1. */
  readonly stay: Float64Array
  readonly advance: Float64Array
  readonly leave: Float64Array
  /** (N): the (nearer) domain. */
  readonly domain: Int32Array
  /** (N): index into `emissions`. */
  readonly emission: Int32Array
  readonly emissions: readonly Emission[]
}

/** A kind of stay. */
interface Stay {
  /** The domain before; null for the first stay, whose mean does not slide. */
  readonly from: number | null
  readonly to: number
  readonly law: DurationLaw
}

interface Place {
  readonly enter: number
  readonly stay: number
  readonly advance: number
  readonly leave: number
  /** For slides. */
  readonly age: number
  readonly cue: number
}

/** The chain of a task that was resolved. */
export function switchingChain(task: SwitchingTask): Chain {
  const { domains, successor, slide } = task
  const stays = kindsOfStay(task)
  const places = stays.map(({ law }) => placesOf(law, task))
  const count = places.reduce((n, line) => n + line.length, 0)
  const numbers = () => new Float64Array(count)
  const chain = {
    first: Int32Array.from([0, ...places.map(({ length }) => length)]),
    start: Float64Array.from(stays, ({ from }, s) => (from === null && s < domains ? 1 / domains : 0)),
    transition: new Float64Array(stays.length ** 2),
    enter: numbers(),
    stay: numbers(),
    advance: numbers(),
    leave: numbers(),
    domain: new Int32Array(count),
    emission: new Int32Array(count),
  }
  for (let s = 1; s < chain.first.length; s++)
    chain.first[s] = (chain.first[s] as number) + (chain.first[s - 1] as number)
  const emissions = new Map<string, Emission & { readonly index: number }>()
  stays.forEach(({ from, to }, s) => {
    places[s]?.forEach((place, i) => {
      const n = (chain.first[s] as number) + i
      const gone = from === null ? 1 : slid(slide, place.age)
      const before = gone < 1 ? (from as number) : to
      const key = `${before} ${to} ${gone} ${place.cue}`
      const known = emissions.get(key) ?? { from: before, to, gone, cue: place.cue, index: emissions.size }
      emissions.set(key, known)
      chain.enter[n] = place.enter
      chain.stay[n] = place.stay
      chain.advance[n] = place.advance
      chain.leave[n] = place.leave
      chain.domain[n] = gone > 0.5 ? to : before
      chain.emission[n] = known.index
    })
    for (let next = 0; next < domains; next++) {
      if (next === to) continue
      const probability = next === (to + 1) % domains ? successor : (1 - successor) / (domains - 2)
      const follows = stays.findLastIndex((kind) => kind.to === next && (slide === 0 || kind.from === to))
      chain.transition[s * stays.length + follows] = probability
    }
  })
  return { ...chain, emissions: [...emissions.values()] }
}

/** First stays come first. Later ones are kinds of their own where their law or their mean differs. */
function kindsOfStay({ domains, duration, later, slide }: SwitchingTask): Stay[] {
  const all = Array.from({ length: domains }, (_, k) => k)
  const firsts = all.map((to): Stay => ({ from: null, to, law: duration }))
  const law = later ?? duration
  if (slide > 0)
    return [
      ...firsts,
      ...all.flatMap((from) => all.flatMap((to) => (from === to ? [] : [{ from, to, law }]))),
    ]
  return later === null ? firsts : [...firsts, ...all.map((to): Stay => ({ from: null, to, law }))]
}

function placesOf(law: DurationLaw, { slide, cue }: SwitchingTask): Place[] {
  if (cue && law.kind === 'uniform') {
    const { least, most } = law
    return Array.from({ length: most }, (_, i) => {
      const left = most - i
      return {
        enter: left < least ? 0 : 1 / (most - least + 1),
        stay: 0,
        advance: left > 1 ? 1 : 0,
        leave: left > 1 ? 0 : 1,
        age: 1,
        cue: left === cue.lead ? cue.hits : cue.falseAlarms,
      }
    })
  }
  const hazard = hazards(law)
  // Where a stay may last, a slide has to end before ages stop counting.
  const ages = Math.max(hazard.length, law.kind === 'uniform' ? 0 : slide + 1)
  return Array.from({ length: ages }, (_, i) => {
    const leave = hazard[Math.min(i, hazard.length - 1)] as number
    const last = i === ages - 1
    return {
      enter: i === 0 ? 1 : 0,
      stay: last ? 1 - leave : 0,
      advance: last ? 0 : 1 - leave,
      leave,
      age: i + 1,
      cue: 0,
    }
  })
}

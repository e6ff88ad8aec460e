/**
 * What a switching stream shows, by brute force: every way to cut T+1 steps into stays, every domain for each, and every
 * history of which experts are reliable, weighed one by one. Shares no code with the filter.
 */
import type { DurationLaw, SwitchingBatch, SwitchingTask } from '../src/index.js'

interface Path {
  readonly probability: number
  /** By step 0..T: domain of the stay, the one before it (or itself), age of the stay, steps that it still lasts. */
  readonly steps: readonly { to: number; from: number; age: number; left: number }[]
}

/** P(duration = n), and for the law's tail: what is beyond `most` counts as `most`. */
function durations(law: DurationLaw, most: number): [number, number][] {
  if (law.kind === 'forever') return [[most, 1]]
  if (law.kind === 'uniform') {
    const count = law.most - law.least + 1
    return Array.from({ length: count }, (_, i) => [law.least + i, 1 / count])
  }
  const before = Array.from({ length: most - 1 }, (_, i): [number, number] => [
    i + 1,
    law.hazard * (1 - law.hazard) ** i,
  ])
  return [...before, [most, (1 - law.hazard) ** (most - 1)]]
}

function paths(task: SwitchingTask): Path[] {
  const { domains, steps, successor } = task
  const most = steps + 2 + (task.cue?.lead ?? 0)
  const found: Path[] = []
  const extend = (path: Path, domain: number, before: number): void => {
    const law = path.steps.length === 0 ? task.duration : (task.later ?? task.duration)
    for (const [length, p] of durations(law, most)) {
      const stay = Array.from({ length }, (_, i) => ({
        to: domain,
        from: before,
        age: path.steps.length === 0 ? Number.POSITIVE_INFINITY : i + 1,
        left: length - i,
      }))
      // The first stay's mean does not slide: nothing was before it.
      const next = { probability: path.probability * p, steps: [...path.steps, ...stay] }
      if (next.steps.length > steps) found.push(next)
      else
        for (let k = 0; k < domains; k++) {
          const q = k === (domain + 1) % domains ? successor : (1 - successor) / (domains - 2)
          if (k !== domain && q > 0) extend({ ...next, probability: next.probability * q }, k, domain)
        }
    }
  }
  for (let k = 0; k < domains; k++) extend({ probability: 1 / domains, steps: [] }, k, k)
  return found
}

/** All histories of K bits over T+1 steps, with their probabilities. */
function histories(
  domains: number,
  steps: number,
  flip: number,
): { probability: number; bits: number[][] }[] {
  let all = [{ probability: 1, bits: [] as number[][] }]
  for (let t = 0; t <= steps; t++)
    all = all.flatMap(({ probability, bits }) =>
      Array.from({ length: 2 ** domains }, (_, code) => {
        const row = Array.from({ length: domains }, (_, k) => (code >> k) & 1)
        const before = bits.at(-1)
        const p = row.reduce((q, bit, k) => q * (!before ? 0.5 : bit === before[k] ? 1 - flip : flip), 1)
        return { probability: probability * p, bits: [...bits, row] }
      }),
    )
  return all
}

const normal = (x: number, mean: number, deviation: number) =>
  Math.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI))

/** Probabilities (E,T) of sequence b of a batch, from the definition of the stream. */
export function enumerated(task: SwitchingTask, { x, errors }: SwitchingBatch, b: number): number[][] {
  const { batch, steps, dim, domains, experts, signal, noise, slide, cue, reliability } = task
  const width = (cue ? dim - 1 : dim) / domains
  const token = (t: number, i: number) => x.data[(i * steps + t) * batch + b] as number
  const mean = (i: number, domain: number) => (Math.floor(i / width) === domain ? signal : 0)
  const gone = (age: number) => (age > slide ? 1 : age / (slide + 1))
  const nearer = ({ to, from, age }: Path['steps'][number]) => (gone(age) > 0.5 ? to : from)
  const tokenLikelihood = (t: number, step: Path['steps'][number]) => {
    let p = 1
    for (let i = 0; i < width * domains; i++) {
      const g = gone(step.age)
      p *= normal(token(t, i), g * mean(i, step.to) + (1 - g) * mean(i, step.from), noise)
    }
    if (!cue) return p
    const q = step.left === cue.lead ? cue.hits : cue.falseAlarms
    const last = token(t, dim - 1)
    return p * (q * normal(last, cue.strength, noise) + (1 - q) * normal(last, 0, noise))
  }
  /** Of the errors at step t, which show at t+1. */
  const errorLikelihood = (t: number, domain: number, bits: readonly number[]) => {
    let p = 1
    for (let e = 0; e < experts; e++) {
      const own = Math.floor(e / 2)
      const base = bits[own] === e % 2 ? reliability?.reliable : reliability?.unreliable
      const deviation = Math.hypot(base as number, own === domain ? 0 : (reliability?.mismatch as number))
      p *= normal(Math.sqrt(errors?.data[(e * steps + t + 1) * batch + b] as number), 0, deviation)
    }
    return p
  }
  const pairs = reliability ? histories(domains, steps, reliability.flip) : [{ probability: 1, bits: null }]
  const out = Array.from({ length: experts }, () => new Array<number>(steps).fill(0))
  for (const path of paths(task)) {
    for (const { probability, bits } of pairs) {
      let weight = path.probability * probability
      for (let t = 0; t < steps; t++) {
        const step = path.steps[t] as Path['steps'][number]
        if (bits && t > 0)
          weight *= errorLikelihood(t - 1, nearer(path.steps[t - 1] as typeof step), bits[t - 1] as number[])
        weight *= tokenLikelihood(t, step)
        const domain = nearer(path.steps[t + 1] as typeof step)
        const row = out[(domain * experts) / domains + (bits?.[t + 1]?.[domain] ?? 0)] as number[]
        row[t] = (row[t] as number) + weight
      }
    }
  }
  for (let t = 0; t < steps; t++) {
    const total = out.reduce((sum, row) => sum + (row[t] as number), 0)
    for (const row of out) row[t] = (row[t] as number) / total
  }
  return out
}

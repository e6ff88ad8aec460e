/**
 * Streams that switch again and again, for tests of learning: 4 domains with signal 1.0 on 4 of 16 dims each, σ .8, durations
 * uniform in 4..8, next the cyclic successor with probability .9, else one of the two others. Right: the domain of t+1.
 */
import { random, type Tensor } from '@fep-moe/core'

const [DOMAINS, DIM, NOISE, LEAST, MOST] = [4, 16, 0.8, 4, 8]

/** Batches, features first: x (16, T, B), targets (T, B), domains (T+1, B). */
export function renewalStreams(seed: number) {
  const draws = random(seed, 'renewal')
  return (batch: number, steps: number) => {
    const x = new Float32Array(DIM * steps * batch)
    draws.fillNormal(x)
    const domains = new Int32Array((steps + 1) * batch)
    for (let b = 0; b < batch; b++) {
      let domain = draws.int(DOMAINS)
      let left = 0
      for (let t = 0; t <= steps; t++) {
        if (left === 0) {
          if (t > 0) domain = (domain + (draws.uniform() < 0.9 ? 1 : 2 + draws.int(2))) % DOMAINS
          left = LEAST + draws.int(MOST - LEAST + 1)
        }
        left--
        domains[t * batch + b] = domain
      }
    }
    for (let j = 0; j < DIM; j++)
      for (let i = 0; i < steps * batch; i++) {
        const at = j * steps * batch + i
        x[at] = NOISE * (x[at] as number) + (Math.floor(j / 4) === domains[i] ? 1 : 0)
      }
    return {
      x: { dtype: 'float32', shape: [DIM, steps, batch], data: x } as Tensor,
      targets: { dtype: 'int32', shape: [steps, batch], data: domains.slice(batch) } as Tensor,
    }
  }
}

/** What an exact filter makes of such a batch: accuracy and log loss from step 8 on. */
export function renewalBound(x: Tensor, targets: Tensor): { accuracy: number; logLoss: number } {
  const [, steps, batch] = x.shape as [number, number, number]
  const hazard = Array.from({ length: MOST }, (_, a) => (a + 1 < LEAST ? 0 : 1 / (MOST - a)))
  const scored = { right: 0, loss: 0, count: 0 }
  for (let b = 0; b < batch; b++) {
    let belief = Array.from({ length: DOMAINS }, () => hazard.map((_, a) => (a === 0 ? 1 / DOMAINS : 0)))
    for (let t = 0; t < steps; t++) {
      const squares = Array.from({ length: DOMAINS }, (_, k) => {
        let total = 0
        for (let j = 0; j < DIM; j++)
          total += ((x.data[(j * steps + t) * batch + b] as number) - (Math.floor(j / 4) === k ? 1 : 0)) ** 2
        return total / (2 * NOISE * NOISE)
      })
      const least = Math.min(...squares)
      const weighed = belief.map((row, k) => row.map((p) => p * Math.exp(least - (squares[k] as number))))
      const total = weighed.flat().reduce((n, p) => n + p, 0)
      const leaving = weighed.map((row) =>
        row.reduce((n, p, a) => n + (p / total) * (hazard[a] as number), 0),
      )
      belief = weighed.map((row, k) => [
        leaving.reduce(
          (n, p, from) => n + p * ([0, 0.9, 0.05, 0.05][(k - from + DOMAINS) % DOMAINS] as number),
          0,
        ),
        ...row.slice(0, -1).map((p, a) => (p / total) * (1 - (hazard[a] as number))),
      ])
      const expected = belief.map((row) => row.reduce((n, p) => n + p, 0))
      if (t < 8) continue
      const target = targets.data[t * batch + b] as number
      scored.right += expected.indexOf(Math.max(...expected)) === target ? 1 : 0
      scored.loss -= Math.log(expected[target] as number)
      scored.count++
    }
  }
  return { accuracy: scored.right / scored.count, logLoss: scored.loss / scored.count }
}

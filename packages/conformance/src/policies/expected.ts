/** What a policy must decide, worked out token by token in doubles: the definition that graphs are held against. */
import type { Tensor } from '@fep-moe/core'
import {
  capacityOf,
  cutoffsOf,
  hashTable,
  type PolicyOf,
  type PolicyState,
  type ResolvedPolicy,
  tokensPerExpert,
} from '@fep-moe/core/policies'

/** A decision, rows are tokens in order of (sequence, time). */
export interface Expected {
  /** 0 and 1. */
  readonly mask: number[][]
  readonly weights: number[][]
  readonly shared: number[]
  /** Best first, −1 where fewer were selected. */
  readonly indices: number[][]
  readonly dropped: number[][]
}

/** What the decision is made on. */
export interface Given {
  readonly logits: Tensor
  readonly state: PolicyState
  readonly valid?: Tensor | undefined
  readonly training?: boolean
  readonly noise?: Tensor | undefined
  readonly uniform?: Tensor | undefined
  readonly ids?: Tensor | undefined
}

const rowsOf = (t: Tensor, width: number): number[][] =>
  Array.from({ length: t.data.length / width }, (_, n) => [...t.data.slice(n * width, (n + 1) * width)])

/** Indices of the largest first; equal ones in rising order. */
const ranked = (scores: readonly number[]): number[] =>
  scores.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)

const softmaxOf = (z: readonly number[]): number[] => {
  const most = Math.max(...z)
  const powers = z.map((x) => Math.exp(x - most))
  const total = powers.reduce((a, b) => a + b, 0)
  return powers.map((p) => p / total)
}
const sigmoidOf = (z: number) => 1 / (1 + Math.exp(-z))
const transposed = (m: readonly (readonly number[])[]): number[][] =>
  (m[0] ?? []).map((_, i) => m.map((row) => row[i] as number))

/** Tokens that each expert takes of a pool: its `counts[e]` best. */
function bestOfPool(
  z: readonly (readonly number[])[],
  tokens: readonly number[],
  counts: readonly number[],
  mask: number[][],
): void {
  counts.forEach((count, e) => {
    for (const i of ranked(tokens.map((n) => (z[n] as number[])[e] as number)).slice(0, count))
      (mask[tokens[i] as number] as number[])[e] = 1
  })
}

function chosenByExperts(
  policy: PolicyOf<'threshold'> | PolicyOf<'expert-choice'>,
  z: readonly (readonly number[])[],
  real: readonly boolean[],
  { state, training, logits }: Given,
): number[][] {
  const mask = z.map((row) => row.map(() => 0))
  const [batch, steps] = logits.shape as [number, number]
  const all = real.map((_, n) => n)
  if (policy.kind === 'expert-choice') {
    const size = (policy.pool ?? batch) * steps
    for (let from = 0; from < real.length; from += size) {
      const tokens = all.slice(from, from + size).filter((n) => real[n])
      const k = tokensPerExpert(policy, tokens.length)
      bestOfPool(z, tokens, new Array<number>(policy.experts).fill(k), mask)
    }
    return mask
  }
  const cutoffs = cutoffsOf(policy, state).map(Math.fround)
  const passes = (x: number, c: number) => (policy.comparison === '>=' ? x >= c : x > c)
  const tokens = all.filter((n) => real[n])
  for (const n of tokens)
    mask[n] = (z[n] as number[]).map((x, e) => (passes(x, cutoffs[e] as number) ? 1 : 0))
  if (!training) return mask
  const k = tokensPerExpert(policy, tokens.length)
  const warm = ((state.steps as Tensor).data[0] as number) < policy.warmUp
  if (!warm && policy.capacity === null) return mask
  const c = policy.capacity ?? 0
  const counts = transposed(mask).map((column) => {
    const wanted = column.reduce((a, b) => a + b, 0)
    return warm ? k : Math.min(Math.max(wanted, Math.trunc(k * (1 - c))), Math.trunc(k * (1 + c)))
  })
  const best = z.map((row) => row.map(() => 0))
  bestOfPool(z, tokens, counts, best)
  return best
}

function thresholdWeights(
  policy: PolicyOf<'threshold'> | PolicyOf<'expert-choice'>,
  z: readonly (readonly number[])[],
  real: readonly boolean[],
): { all: number[][]; shared: number[] } {
  const ones = z.map(() => 1)
  if (policy.weights === 'sigmoid') return { all: z.map((row) => row.map(sigmoidOf)), shared: ones }
  if (policy.weights === 'relu') return { all: z.map((row) => row.map((x) => Math.max(x, 0))), shared: ones }
  if (policy.weights === 'softmax-tokens') {
    const columns = transposed(z).map((column) => softmaxOf(column.map((x, n) => (real[n] ? x : -1e30))))
    return { all: transposed(columns), shared: ones }
  }
  const q = z.map((row) => softmaxOf([0, ...row]))
  const anchor = policy.weights === 'softmax-experts'
  return {
    all: q.map((row) => row.slice(1)),
    shared: q.map((row) => (anchor ? (row[0] as number) : 1 / policy.granularity)),
  }
}

function keptByCapacity(
  policy: PolicyOf<'token-choice'>,
  z: number[][],
  wanted: number[][],
  real: boolean[],
): number[][] {
  const { capacity } = policy
  if (!capacity) return wanted
  const room = capacityOf(capacity, policy, real.filter(Boolean).length)
  const columns = transposed(wanted).map((column, e) => {
    const takers = column.map((_, n) => n).filter((n) => column[n] === 1)
    const order =
      capacity.keep === 'position'
        ? takers
        : ranked(takers.map((n) => (z[n] as number[])[e] as number)).map((i) => takers[i] as number)
    const kept = new Set(order.slice(0, room))
    return column.map((_, n) => (kept.has(n) ? 1 : 0))
  })
  return transposed(columns)
}

/** Scores before they are normalized over the selected. */
function tokenScores({ weights, anchor }: PolicyOf<'token-choice'>, row: readonly number[]): number[] {
  if (weights === 'sigmoid') return row.map(sigmoidOf)
  if (weights === 'relu') return row.map((x) => Math.max(x, 0))
  return anchor ? softmaxOf([0, ...row]).slice(1) : softmaxOf(row)
}

function tokenWeights(
  policy: PolicyOf<'token-choice'>,
  all: readonly number[],
  chosen: readonly number[],
): number[] {
  const { normalize, scale } = policy
  const sum = chosen.reduce((a, e) => a + (all[e] as number), 0)
  const total = normalize ? Math.max(sum, 1e-20) : 1
  return all.map((w, e) => (chosen.includes(e) ? (scale * w) / total : 0))
}

/** Decides. Float32 numbers in, doubles throughout. */
export function expectedDecision(policy: ResolvedPolicy, given: Given): Expected {
  const { experts } = policy
  const plain = rowsOf(given.logits, experts)
  const real = plain.map((_, n) => (given.valid ? given.valid.data[n] === 1 : true))
  const padded = (m: readonly (readonly number[])[]) =>
    m.map((row, n) => (real[n] ? [...row] : row.map(() => 0)))
  const zeros = plain.map((row) => row.map(() => 0))
  const ones = plain.map(() => 1)
  switch (policy.kind) {
    case 'threshold':
    case 'expert-choice': {
      const mask = chosenByExperts(policy, plain, real, given)
      const { all, shared } = thresholdWeights(policy, plain, real)
      const weights = all.map((row, n) => {
        const taken = mask[n] as number[]
        const by = policy.divideByFanout
          ? Math.max(
              taken.reduce((a, b) => a + b, 0),
              1,
            )
          : 1
        return row.map((w, e) => (w * (taken[e] as number)) / by)
      })
      return { mask, weights, shared, indices: byScore(plain, mask), dropped: zeros }
    }
    case 'cosine-threshold': {
      const cutoffs = cutoffsOf(policy, given.state).map(Math.fround)
      const passes = (x: number, c: number) => (policy.comparison === '>=' ? x >= c : x > c)
      const mask = padded(plain.map((row) => row.map((x, e) => (passes(x, cutoffs[e] as number) ? 1 : 0))))
      const weights = plain.map((row, n) =>
        row.map(
          (x, e) => ((mask[n] as number[])[e] as number) * (policy.weights === 'binary' ? 1 : sigmoidOf(x)),
        ),
      )
      return { mask, weights, shared: ones, indices: byScore(plain, mask), dropped: zeros }
    }
    case 'token-choice': {
      const { noise } = policy
      const z = plain.map((row, n) =>
        row.map((x, e) =>
          given.training && noise?.kind === 'normal' && given.noise
            ? Math.fround(x + Math.fround(noise.std * (given.noise.data[n * experts + e] as number)))
            : x,
        ),
      )
      const bias = given.state.bias?.data
      const scores = z.map((row) => row.map((x, e) => (bias ? Math.fround(x + (bias[e] as number)) : x)))
      const best = scores.map((row) => ranked(row).slice(0, policy.k))
      const wanted = padded(z.map((row, n) => row.map((_, e) => ((best[n] as number[]).includes(e) ? 1 : 0))))
      const all = z.map((row) => tokenScores(policy, row))
      const mask = given.training ? keptByCapacity(policy, all, wanted, real) : wanted
      const weights = all.map((row, n) => {
        const w = tokenWeights(policy, row, best[n] as number[])
        return w.map((x, e) => x * ((mask[n] as number[])[e] as number))
      })
      return {
        mask,
        weights,
        shared: ones,
        indices: best.map((row, n) => row.map((e) => ((mask[n] as number[])[e] ? e : -1))),
        dropped: wanted.map((row, n) => row.map((w, e) => w - ((mask[n] as number[])[e] as number))),
      }
    }
    default: {
      const table = policy.kind === 'hash' ? hashTable(policy) : []
      const best =
        policy.kind === 'random'
          ? rowsOf(given.uniform as Tensor, experts).map((row) => ranked(row).slice(0, policy.k))
          : [...(given.ids as Tensor).data].map((id) =>
              Array.from({ length: policy.k }, (_, j) => ((table[id] as number) + j) % experts),
            )
      const mask = padded(
        plain.map((row, n) => row.map((_, e) => ((best[n] as number[]).includes(e) ? 1 : 0))),
      )
      return {
        mask,
        weights: mask.map((row) => row.map((m) => m / policy.k)),
        shared: ones,
        indices: best.map((row, n) => row.map((e) => (real[n] ? e : -1))),
        dropped: zeros,
      }
    }
  }
}

/** Selected experts of each token by falling score, filled up with −1. */
const byScore = (z: readonly (readonly number[])[], mask: readonly (readonly number[])[]): number[][] =>
  z.map((row, n) => {
    const taken = mask[n] as readonly number[]
    const best = ranked(row).filter((e) => taken[e] === 1)
    return row.map((_, i) => best[i] ?? -1)
  })

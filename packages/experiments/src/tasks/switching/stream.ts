/** Draws the streams of `task.ts`. */
import { random, type Tensor } from '@fep-moe/core'
import { hazards } from './durations.js'
import { resolveSwitching, type SwitchingTask, signalWidth, slid } from './task.js'

/** One batch, features first: as a trainer with `layout: 'feature-major'` takes it. */
export interface SwitchingBatch {
  /** (d,T,B) float32. */
  readonly x: Tensor
  /** (T,B) int32: the right expert at each step, that of the domain at the next one. */
  readonly targets: Tensor
  /**
   * (E,T,B) float32, where experts differ in reliability: the squared error of every expert at the step before, 0 at
   * the first one. The same for all gates: it does not depend on what was chosen.
   */
  readonly errors?: Tensor
  /** (T,B): 1 where the domain at the next step is another one. */
  readonly switches: Uint8Array
  /** (T+1,B): the domain at each step, and at the one after the last. */
  readonly domains: Int32Array
  /** (T,B), where there are cues: 1 where a token has one. */
  readonly cues?: Uint8Array
}

/** An endless sequence of batches. */
export interface SwitchingStream {
  readonly task: SwitchingTask
  /**
   * The next batch. Its arrays are those of the batch before, overwritten: copy what must last, and call this only
   * after the run that reads them has ended.
   */
  next(): SwitchingBatch
}

/**
 * Opens the stream of a seed. The same seed gives the same bytes; batch n is the same whatever consumes it.
 * @param seed a safe integer >= 0
 * @param name of its random streams: another name gives independent batches of the same seed
 * @throws FEP_BAD_CONFIG, FEP_BAD_ARGUMENT
 * @example
 * const { x, targets } = openSwitching(switchingTasks.renewal, 42).next() // (16,48,256), (48,256)
 */
export function openSwitching(given: SwitchingTask, seed: number, name = 'switching'): SwitchingStream {
  const task = resolveSwitching(given)
  const { batch, steps, dim, domains, experts, noise, cue, reliability } = task
  const noises = random(seed, `${name}/noise`)
  const draw = { domains: domainDrawer(task, seed, name), cues: random(seed, `${name}/cue`) }
  const pairs = reliability ? pairDrawer({ ...task, reliability }, seed, name) : undefined
  const x = new Float32Array(dim * steps * batch)
  const targets = new Int32Array(steps * batch)
  const switches = new Uint8Array(steps * batch)
  const cues = cue ? new Uint8Array(steps * batch) : undefined
  const uniform = new Float64Array(cue ? steps * batch : 0)
  return {
    task,
    next: () => {
      noises.fillNormal(x, 0, noise)
      const path = draw.domains()
      addMeans(x, path, task)
      if (cue && cues) {
        draw.cues.fillUniform(uniform)
        for (let i = 0; i < cues.length; i++) {
          const ahead = i + (cue.lead - 1) * batch
          const due = path.entered[ahead + batch] === 1
          cues[i] = (uniform[i] as number) < (due ? cue.hits : cue.falseAlarms) ? 1 : 0
          const last = (dim - 1) * steps * batch + i
          if (cues[i]) x[last] = (x[last] as number) + cue.strength
        }
      }
      const found = pairs?.(path.nearer)
      for (let i = 0; i < targets.length; i++) {
        const [now, next] = [path.nearer[i] as number, path.nearer[i + batch] as number]
        switches[i] = now === next ? 0 : 1
        targets[i] =
          (next * experts) / domains +
          (found ? (found.second[next * (steps + 1) * batch + i + batch] as number) : 0)
      }
      return {
        x: { dtype: 'float32', shape: [dim, steps, batch], data: x },
        targets: { dtype: 'int32', shape: [steps, batch], data: targets },
        switches,
        domains: path.nearer.subarray(0, (steps + 1) * batch),
        ...(found && {
          errors: { dtype: 'float32' as const, shape: [experts, steps, batch], data: found.errors },
        }),
        ...(cues && { cues }),
      }
    },
  }
}

/** Where sequences are: rows of B, a row per step, as many after the last token as a cue looks ahead. */
interface DomainPath {
  /** The domain that the mean goes to, the one it comes from, and how far it has gone. */
  readonly to: Int32Array
  readonly from: Int32Array
  readonly gone: Float64Array
  /** The nearer of the two. */
  readonly nearer: Int32Array
  /** 1 where a stay begins, except the first. */
  readonly entered: Uint8Array
}

/** Draws the domains of a batch. Every step draws for every sequence, so that none moves the draws of another. */
function domainDrawer(task: SwitchingTask, seed: number, name: string): () => DomainPath {
  const { batch, steps, domains, successor, slide, cue } = task
  const rows = steps + 1 + (cue?.lead ?? 0)
  const streams = {
    starts: random(seed, `${name}/start`),
    leaves: random(seed, `${name}/leave`),
    successors: random(seed, `${name}/successor`),
  }
  const laws = [hazards(task.duration), hazards(task.later ?? task.duration)] as const
  const starts = new Int32Array(batch)
  const [leaves, follows] = [new Float64Array(rows * batch), new Float64Array(rows * batch)]
  const path: DomainPath = {
    to: new Int32Array(rows * batch),
    from: new Int32Array(rows * batch),
    gone: new Float64Array(rows * batch),
    nearer: new Int32Array(rows * batch),
    entered: new Uint8Array(rows * batch),
  }
  return () => {
    streams.starts.fillInt(starts, domains)
    streams.leaves.fillUniform(leaves)
    streams.successors.fillUniform(follows)
    for (let b = 0; b < batch; b++) {
      let domain = starts[b] as number
      let [before, age, stays] = [domain, 0, 0]
      for (let i = b; i < rows * batch; i += batch) {
        const law = laws[stays === 0 ? 0 : 1]
        const ends = age > 0 && (leaves[i] as number) < (law[Math.min(age, law.length) - 1] as number)
        if (ends) {
          before = domain
          domain = follower(domain, follows[i] as number, domains, successor)
          stays++
        }
        age = ends ? 1 : age + 1
        const gone = stays === 0 ? 1 : slid(slide, age)
        path.to[i] = domain
        path.from[i] = before
        path.gone[i] = gone
        path.nearer[i] = gone > 0.5 ? domain : before
        path.entered[i] = ends ? 1 : 0
      }
    }
    return path
  }
}

/** The domain after another one, by a number in [0, 1). */
function follower(domain: number, u: number, domains: number, successor: number): number {
  if (u < successor) return (domain + 1) % domains
  const others = domains - 2
  const which = Math.min(others - 1, Math.floor(((u - successor) / (1 - successor)) * others))
  return (domain + 2 + which) % domains
}

/** Adds the mean of every token. */
function addMeans(x: Float32Array, path: DomainPath, task: SwitchingTask): void {
  const { batch, steps, domains, signal } = task
  const [tokens, width] = [steps * batch, signalWidth(task) / domains]
  const addTo = (domain: number, i: number, value: number) => {
    for (let at = domain * width * tokens + i, n = 0; n < width; n++, at += tokens)
      x[at] = (x[at] as number) + value
  }
  for (let i = 0; i < tokens; i++) {
    const gone = path.gone[i] as number
    addTo(path.to[i] as number, i, gone * signal)
    if (gone < 1) addTo(path.from[i] as number, i, (1 - gone) * signal)
  }
}

/** Draws which expert of a pair is reliable, and the errors of all. */
function pairDrawer(
  {
    batch,
    steps,
    domains,
    experts,
    reliability,
  }: SwitchingTask & { readonly reliability: NonNullable<SwitchingTask['reliability']> },
  seed: number,
  name: string,
) {
  const { flip, reliable, unreliable, mismatch } = reliability
  const coins = random(seed, `${name}/reliable`)
  const flips = random(seed, `${name}/flip`)
  const normals = random(seed, `${name}/error`)
  const tokens = steps * batch
  const first = new Int32Array(domains * batch)
  const uniform = new Float64Array(domains * (tokens + batch))
  /** (K,T+1,B): 1 where the second expert of a pair is the reliable one. */
  const second = new Uint8Array(domains * (tokens + batch))
  const errors = new Float32Array(experts * tokens)
  const deviations = [reliable, unreliable].map((own) => [own, Math.hypot(own, mismatch)] as const)
  return (domainAt: Int32Array) => {
    coins.fillInt(first, 2)
    flips.fillUniform(uniform)
    normals.fillNormal(errors)
    for (let k = 0; k < domains; k++)
      for (let i = 0; i < tokens + batch; i++) {
        const at = k * (tokens + batch) + i
        const before = i < batch ? (first[k * batch + i] as number) : (second[at - batch] as number)
        second[at] = i >= batch && (uniform[at] as number) < flip ? 1 - before : before
      }
    for (let e = 0; e < experts; e++) {
      const domain = e >> 1
      errors.fill(0, e * tokens, e * tokens + batch)
      for (let i = batch; i < tokens; i++) {
        const isReliable = second[domain * (tokens + batch) + i - batch] === (e & 1)
        const own = deviations[isReliable ? 0 : 1] as readonly [number, number]
        const deviation = own[domainAt[i - batch] === domain ? 0 : 1]
        errors[e * tokens + i] = ((errors[e * tokens + i] as number) * deviation) ** 2
      }
    }
    return { second, errors }
  }
}

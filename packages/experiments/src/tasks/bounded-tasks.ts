/** Every task whose best possible score can be drawn with its standard error, by name: what `fep-moe bounds` prints. */
import { FepError, show } from '@fep-moe/core'
import { alternatingAlphabets, openAlternatingAlphabets } from './alternating-alphabets.js'
import { alternatingAlphabetsBits } from './alternating-alphabets-bounds.js'
import { continual, continualBound } from './continual.js'
import { switchingBound } from './switching/bound.js'
import { Ratio, type Sampled } from './switching/ratio.js'
import { type SwitchingName, switchingTasks } from './switching/tasks.js'

/** Scores of the exact filter: by steps (`all`, `switches`) or by what is known, then by metric. */
export type SampledBound = Readonly<Record<string, Readonly<Record<string, Sampled>>>>

/** A task with a bound. */
export interface BoundedTask {
  readonly name: string
  /** In a line. */
  readonly title: string
  /** What the stream looks like. JSON. */
  readonly settings: object
  /** Sequences that take some seconds. */
  readonly sequences: number
  /** Scores the exact filter on that many sequences of a seed. @throws FEP_BAD_ARGUMENT */
  bound(sequences: number, seed: number): SampledBound
}

const titles: Readonly<Record<SwitchingName, string>> = {
  fixed: 'one switch, always at the same step',
  jittered: 'one switch at a random step',
  geometric: 'switches that nothing announces',
  renewal: 'durations of 4 to 8 steps, again and again',
  cued: 'a weak cue before most switches',
  gradual: 'means that slide from domain to domain',
  unreliable: 'experts whose reliability only errors show',
  long: 'durations of 300 to 500 steps',
}

/** Tasks by how many of their sequences take some seconds, where that is not the usual number. */
const FEWER: Readonly<Record<string, number>> = { unreliable: 2000, long: 64 }

const switching = Object.entries(switchingTasks).map(
  ([name, task]): BoundedTask => ({
    name,
    title: titles[name as SwitchingName],
    settings: task,
    sequences: FEWER[name] ?? 20_000,
    bound: (sequences, seed) => {
      const { all, switches } = switchingBound(task, sequences, seed)
      return { all: { ...all }, switches: { ...switches } }
    },
  }),
)

/** All of them, in the order of the documentation. */
export const boundedTasks: readonly BoundedTask[] = [
  ...switching,
  {
    name: 'continual',
    title: 'three domains, one after another: squared error',
    settings: continual,
    sequences: 20_000,
    bound: (sequences, seed) => {
      const { inferred, told } = continualBound({}, sequences, seed)
      return { inferred: { squaredError: inferred }, told: { squaredError: told } }
    },
  },
  {
    name: 'alternating-alphabets',
    title: 'letters of two alphabets that alternate at random: bits',
    settings: alternatingAlphabets,
    sequences: 20_000,
    bound: (sequences, seed) => {
      if (!Number.isInteger(sequences) || sequences < 1)
        throw new FepError('FEP_BAD_ARGUMENT', `sequences is ${show(sequences)}; accepted: an integer >= 1`)
      const batch = Math.min(sequences, alternatingAlphabets.batch)
      const stream = openAlternatingAlphabets({ batch }, seed, 'bound')
      const steps = stream.task.letters - 1
      const [all, switches] = [new Ratio(), new Ratio()]
      for (let n = 0; n < sequences; n += batch) {
        const text = stream.next()
        const bits = alternatingAlphabetsBits(stream.task, text)
        for (let b = 0; b < batch; b++) {
          const sums = { all: 0, switches: 0, count: 0 }
          for (let i = b * steps; i < (b + 1) * steps; i++) {
            sums.all += bits[i] as number
            if (text.switches[i] === 0) continue
            sums.switches += bits[i] as number
            sums.count++
          }
          all.add(sums.all, steps)
          switches.add(sums.switches, sums.count)
        }
      }
      return { all: { bits: all.sampled }, switches: { bits: switches.sampled } }
    },
  },
]

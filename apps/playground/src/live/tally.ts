/** Counts over the most recent sequences. */
import { domainSwitch } from '@fep-moe/experiments'
import { type Moment, SEQUENCES } from './player.js'

/** Rounds of parallel sequences that count. */
const ROUNDS = 8

/** How often the gate was right. */
export interface Tally {
  add(moment: Moment): void
  clear(): void
  /** At the last step before the switch; undefined before there is one. */
  atSwitch(): { readonly rate: number; readonly sequences: number } | undefined
  /** At every step that has a right expert. */
  overall(): { readonly rate: number; readonly tokens: number } | undefined
}

/** An empty tally. */
export function createTally(): Tally {
  const { steps, switchAt } = domainSwitch
  let switches: number[] = []
  let all: number[] = []
  const last = (list: readonly number[], count: number) => list.slice(-count)
  const rate = (list: readonly number[]) =>
    list.reduce((sum, hits) => sum + hits, 0) / (list.length * SEQUENCES)
  return {
    add: ({ step, right, hits }) => {
      if (right === undefined) return
      all = last([...all, hits], ROUNDS * (steps - 1))
      if (step === switchAt - 1) switches = last([...switches, hits], ROUNDS)
    },
    clear: () => {
      switches = []
      all = []
    },
    atSwitch: () =>
      switches.length === 0 ? undefined : { rate: rate(switches), sequences: switches.length * SEQUENCES },
    overall: () => (all.length === 0 ? undefined : { rate: rate(all), tokens: all.length * SEQUENCES }),
  }
}

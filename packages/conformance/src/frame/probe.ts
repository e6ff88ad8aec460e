/** What a case holds in its hand while it runs: the backend, and ways to say what must be true. */
import {
  type Backend,
  type DeviceTensor,
  FepError,
  type FepErrorCode,
  type Tensor,
  toHost,
} from '@fep-moe/core'
import type { Tolerance } from './case.js'
import { compareTensors, type Deviation } from './compare.js'
import type { Slack } from './declared-accuracy.js'
import { CaseFailure, check } from './failure.js'
import { holdToCapabilities } from './unsupported.js'

/** Where cases run. */
export interface Lane {
  /** Shared by cases, which must leave it as they found it. */
  readonly backend: Backend
  /** Makes another instance, for cases that dispose it. */
  create(): Promise<Backend>
}

/** Hooks of a run that is more than a run. */
export interface ProbeOptions {
  /** Sees both sides of every comparison. */
  readonly observe?: (got: Tensor, want: Tensor) => void
}

/** A comparison that went beyond its tolerance, kept until it is known what may be added. */
interface Beyond {
  readonly name: string
  readonly got: Tensor
  readonly want: Tensor
  readonly tolerance: Tolerance
  /** Its place among all comparisons. */
  readonly index: number
}

/** Cases may write into what they compared. */
const copy = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() as Tensor['data'] })

/** See the file's header. */
export class Probe {
  /** The lane's backend, held to what its capabilities say. */
  readonly backend: Backend
  /** The worst element of the comparisons that are settled. */
  worst: Deviation | undefined
  /** Number of comparisons and checks made: a case that made none proves nothing. */
  checks = 0
  private comparisons = 0
  private beyond: Beyond[] = []

  constructor(
    private readonly lane: Lane,
    private readonly tolerance: Tolerance,
    private readonly options: ProbeOptions = {},
  ) {
    this.backend = holdToCapabilities(lane.backend)
  }

  /** A fresh backend that the case must dispose. */
  async create(): Promise<Backend> {
    return holdToCapabilities(await this.lane.create())
  }

  /** Whether comparisons went beyond their tolerance that were not settled yet. */
  get exceeds(): boolean {
    return this.beyond.length > 0
  }

  /** Compares a result; a deviation beyond tolerance fails the case at its end, a wrong shape at once. */
  async compare(
    name: string,
    got: Tensor | DeviceTensor,
    want: Tensor,
    tolerance: Tolerance = this.tolerance,
  ): Promise<void> {
    this.checks++
    const host = await toHost(got)
    const index = this.comparisons++
    const found = compareTensors(name, host, want, tolerance)
    if (typeof found === 'string') throw new CaseFailure(found)
    this.options.observe?.(host, want)
    if (found.ratio <= 1) this.judge(found)
    else this.beyond.push({ name, got: copy(host), want: copy(want), tolerance, index })
  }

  /**
   * Judges what went beyond its tolerance, for good.
   * @param slack extra tolerance of all comparisons, in order
   */
  settle(slack?: Slack): void {
    for (const { name, got, want, tolerance, index } of this.beyond)
      this.judge(compareTensors(name, got, want, tolerance, slack?.[index]) as Deviation)
    this.beyond = []
  }

  /** Fails the case unless the condition holds. */
  check(condition: boolean, message: string): void {
    this.checks++
    check(condition, message)
  }

  /** The value, which fails the case where it is missing. */
  present<T>(name: string, value: T | undefined): T {
    check(value !== undefined, `${name} is missing`)
    return value
  }

  /** Fails the case unless `body` throws, at once or later, a FepError with this code. */
  async rejects(code: FepErrorCode, what: string, body: () => unknown): Promise<void> {
    this.checks++
    try {
      await body()
    } catch (error) {
      if (error instanceof CaseFailure) throw error
      // The class may come from another copy of core; the code is the contract.
      const found = error instanceof FepError ? error.code : (error as { code?: unknown } | undefined)?.code
      check(found === code, `${what} must fail with ${code}, not ${found ?? error}`)
      return
    }
    throw new CaseFailure(`${what} must fail with ${code}, but did not fail`)
  }

  private judge(found: Deviation): void {
    if (this.worst === undefined || found.ratio > this.worst.ratio) this.worst = found
  }
}

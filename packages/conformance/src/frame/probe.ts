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
  /** Extra tolerance of the comparisons, in order. */
  readonly slack?: readonly (ArrayLike<number> | undefined)[] | undefined
  /** Sees both sides of every comparison. */
  readonly observe?: (got: Tensor, want: Tensor) => void
}

/** See the file's header. */
export class Probe {
  /** The lane's backend, held to what its capabilities say. */
  readonly backend: Backend
  /** The worst element of all comparisons so far. */
  worst: Deviation | undefined
  /** Number of comparisons and checks made: a case that made none proves nothing. */
  checks = 0
  private comparisons = 0

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

  /** Compares a result; a deviation beyond tolerance fails the case at its end, a wrong shape at once. */
  async compare(
    name: string,
    got: Tensor | DeviceTensor,
    want: Tensor,
    tolerance: Tolerance = this.tolerance,
  ): Promise<void> {
    this.checks++
    const host = await toHost(got)
    const found = compareTensors(name, host, want, tolerance, this.options.slack?.[this.comparisons++])
    if (typeof found === 'string') throw new CaseFailure(found)
    this.options.observe?.(host, want)
    if (this.worst === undefined || found.ratio > this.worst.ratio) this.worst = found
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
}

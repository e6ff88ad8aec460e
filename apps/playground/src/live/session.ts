/** One gate on one executor: what it has learned, its stream, its training. */
import type { Backend, Gate, Params } from '@fep-moe/core'
import type { Scores } from '@fep-moe/experiments'
import { type ExecutorName, executors } from '../executors.js'
import { type ConditionName, gateOf } from './conditions.js'
import { type Moment, openPlayer, type Player } from './player.js'
import { openTraining, type Training } from './training.js'

/** What a session is about. */
export interface Choice {
  readonly condition: ConditionName
  readonly executor: ExecutorName
  /** A safe integer >= 0. */
  readonly seed: number
}

/** A running session. Its methods are called one after the other. */
export class Session {
  private training: Training | undefined
  private constructor(
    readonly choice: Choice,
    readonly gate: Gate,
    private readonly backend: Backend,
    private readonly player: Player,
    private learned: Params,
  ) {}

  /** Opens one; parameters that another executor has learned may come along. @throws FEP_BACKEND_MISSING */
  static async open(choice: Choice, learned?: Params): Promise<Session> {
    const gate = gateOf(choice.condition)
    const params = learned ?? gate.init({ seed: choice.seed })
    const backend = await executors[choice.executor].open()
    try {
      return new Session(choice, gate, backend, await openPlayer(backend, gate, params, choice.seed), params)
    } catch (error) {
      await backend.dispose()
      throw error
    }
  }

  /** What the gate knows now. */
  get params(): Params {
    return this.learned
  }

  /** Streams one token. */
  advance(): Promise<Moment> {
    return this.player.advance()
  }

  /** One step of training. */
  async train(): Promise<Scores> {
    this.training ??= await openTraining(this.backend, this.gate, this.learned, this.choice.seed)
    return this.training.step()
  }

  /** Shows the stream what has been learned. */
  async publish(): Promise<void> {
    if (!this.training) return
    this.learned = await this.training.params()
    this.player.use(this.learned, this.training.precision())
  }

  async dispose(): Promise<void> {
    this.player.dispose()
    await this.training?.dispose()
    await this.backend.dispose()
  }
}

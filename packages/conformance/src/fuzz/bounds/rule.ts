/** The type of a bound rule; apart, so that families of rules and the table that joins them need not import each other. */
import type { Bounded, Evaluation, Info } from './bounded.js'

/** Operands with bounds in, results with bounds out. */
export type Rule = (
  evaluation: Evaluation,
  inputs: readonly Bounded[],
  attrs: Readonly<Record<string, unknown>>,
  infos: readonly Info[],
) => readonly Bounded[]

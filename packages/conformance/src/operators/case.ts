/** Operator cases: one small graph around one operator, feeds, and results worked out without the reference. */
import {
  expandComposites,
  isComposite,
  type OpName,
  type Shape,
  type Tensor,
  type Value,
} from '@fep-moe/core'
import { graphOf, typesOf, type Values } from '../frame/build.js'
import type { GraphCase, GraphRun, Tolerance } from '../frame/case.js'

/** A few roundings of single precision. */
export const ROUNDING: Tolerance = { atol: 1e-6, rtol: 2e-6 }

/** One example of an operator. */
export interface Example {
  readonly id: string
  readonly body: (values: Values) => Values
  readonly shapes: Readonly<Record<string, Shape>>
  readonly runs: readonly GraphRun[]
  readonly tolerance: Tolerance
}

/** Examples for every operator of a family: the compiler names the one that has none. */
export type ExamplesOf<O extends OpName> = { readonly [K in O]: readonly [Example, ...Example[]] }

type Feeds = Readonly<Record<string, Tensor>>

/** Further choices of an {@link example}. */
export interface ExampleOptions<F extends Feeds> {
  /** Declared shapes where they differ from the feeds' (the symbolic batch). */
  readonly shapes?: Readonly<Record<string, Shape>>
  /** Default {@link ROUNDING}; integers and booleans are always exact. */
  readonly tolerance?: Tolerance
  /** Further runs of the same program: other batch sizes, other data. */
  readonly more?: readonly { readonly feeds: F; readonly expected: Feeds }[]
}

/** Writes an example down. */
export function example<F extends Feeds>(
  id: string,
  feeds: F,
  body: (values: { readonly [K in keyof F]: Value }) => Values,
  expected: Feeds,
  { shapes = {}, tolerance = ROUNDING, more = [] }: ExampleOptions<F> = {},
): Example {
  return { id, body: body as Example['body'], shapes, runs: [{ feeds, expected }, ...more], tolerance }
}

/** The cases of an operator; a composite is run as it is (native where claimed) and expanded. */
export function operatorCases(op: OpName, examples: readonly Example[]): GraphCase[] {
  return examples.flatMap(({ id, body, shapes, runs, tolerance }) => {
    const graph = () => graphOf(`${op}/${id}`, typesOf((runs[0] as GraphRun).feeds, shapes), body)
    const base = { kind: 'graph', group: 'operators', tolerance, runs: () => runs } as const
    const whole: GraphCase = { ...base, id: `operators/${op}/${id}`, graph }
    if (!isComposite(op)) return [whole]
    return [whole, { ...base, id: `operators/${op}/${id}/expanded`, graph: () => expandComposites(graph()) }]
  })
}

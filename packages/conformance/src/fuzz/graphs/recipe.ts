/**
 * What a random graph is made from: instructions whose numbers are taken modulo what is available. Every list of
 * instructions is a valid graph, so dropping some of them, or making numbers smaller, leaves one that is valid, too.
 */
import * as fc from 'fast-check'

/** One instruction. */
export interface Step {
  /** Which emitter. */
  readonly emit: number
  /** Its choices, in the order in which it makes them. */
  readonly picks: readonly number[]
  /** Instructions of a Scan's body; other emitters ignore them. */
  readonly body: readonly { readonly emit: number; readonly picks: readonly number[] }[]
}

/** A random graph and what it is fed. */
export interface Recipe {
  /** Sizes that shapes are made of. */
  readonly dims: readonly number[]
  /** What the symbol `batch` is bound to. */
  readonly batch: number
  /** Seed of the feeds' elements. */
  readonly data: number
  readonly steps: readonly Step[]
  /** Whether the graph also returns gradients, and in which form. */
  readonly derive: 'no' | 'gradients' | 'vjp'
  /** Whether the executor gets the optimized graph (the bounds are those of the plain one). */
  readonly optimize: boolean
}

/** Making the numbers of an instruction smaller makes it another instruction, not a simpler one. */
const picks = fc.noShrink(fc.array(fc.nat({ max: 719 }), { minLength: 8, maxLength: 8 }))
const emit = fc.noShrink(fc.nat({ max: 9999 }))

/** Dimensions: mostly 1 to 4, now and then 0, or more steps than an executor unrolls. */
const dim = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(18) },
)

/**
 * The search for a smaller recipe goes through the fields in this order: first no gradients, then fewer instructions.
 * Without bias: a bias towards small numbers would choose the first operators over and over.
 */
export const recipes: fc.Arbitrary<Recipe> = fc.noBias(
  fc.record({
    derive: fc.constantFrom<Recipe['derive']>(
      'no',
      'no',
      'no',
      'no',
      'no',
      'gradients',
      'gradients',
      'gradients',
      'vjp',
    ),
    optimize: fc.constantFrom(false, false, true),
    steps: fc.array(
      fc.record({
        emit,
        picks,
        body: fc.array(fc.record({ emit, picks }), { maxLength: 4, size: 'max' }),
      }),
      { minLength: 1, maxLength: 9, size: 'max' },
    ),
    batch: fc.integer({ min: 1, max: 3 }),
    dims: fc.array(dim, { minLength: 3, maxLength: 3 }),
    data: fc.noShrink(fc.nat({ max: 2 ** 30 })),
  }),
)

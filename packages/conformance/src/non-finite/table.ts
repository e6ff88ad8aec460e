/** NaN and infinities: what an executor promises about them, it must keep; and what does not depend on them stays right. */
import type { ProcedureCase } from '../frame/case.js'
import { subjectCases } from './case.js'
import { fromFinite } from './from-finite.js'
import { extremes } from './gates/extremes.js'
import { isolation } from './gates/isolation.js'
import { saturated } from './gates/saturated.js'
import type { FloatOp, SubjectsOf } from './subject.js'
import { elementwise } from './subjects/elementwise.js'
import { moves } from './subjects/moves.js'
import { products } from './subjects/products.js'
import { recurrences } from './subjects/recurrences.js'
import { rows } from './subjects/rows.js'

/** The closed table: a float operator without a subject does not compile. */
const subjects: SubjectsOf<FloatOp> = { ...elementwise, ...moves, ...rows, ...products, ...recurrences }

/** Every case of the group `non-finite`. */
export const nonFinite = (): ProcedureCase[] => [
  ...Object.entries(subjects).flatMap(([op, own]) => own.flatMap((s) => subjectCases(op as FloatOp, s))),
  ...fromFinite(),
  ...extremes(),
  ...saturated(),
  ...isolation(),
]

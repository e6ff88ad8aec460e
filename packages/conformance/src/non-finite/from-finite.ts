/**
 * What finite operands make: infinities, NaN, and zeros whose sign shows in a division. Where may lose the sign: executors
 * add two masked halves (ONNX Runtime 1.30 does), and −0 + 0 is 0.
 */
import { type OpName, ops, type Tensor } from '@fep-moe/core'
import { graphOf, typesOf, type Values } from '../frame/build.js'
import type { ProcedureCase } from '../frame/case.js'
import { f, i } from '../frame/data.js'
import { ROUNDING } from '../operators/case.js'
import { judgedOf } from './policy.js'
import type { Tensors } from './subject.js'

const INF = Number.POSITIVE_INFINITY

/** Elements that are finite are judged everywhere, the others where the backend promises IEEE 754. */
function fixedCase(
  id: string,
  feeds: Tensors,
  body: (values: Values) => Values[string],
  want: Tensor,
): ProcedureCase {
  return {
    kind: 'procedure',
    id: `non-finite/${id}`,
    group: 'non-finite',
    tolerance: ROUNDING,
    note: 'what is not finite counts where the backend promises IEEE 754',
    check: async (probe) => {
      const graph = graphOf(id, typesOf(feeds), (values) => ({ y: body(values) }))
      const open = judgedOf(graph, probe.backend.capabilities) !== 'all'
      const program = await probe.backend.compile(graph)
      try {
        const result = probe.present('y', (await program.run(feeds)).y)
        const data = (await result.read()).slice() as Tensor['data']
        for (let k = 0; k < data.length; k++) {
          const value = want.data[k] as number
          if (open && !Number.isFinite(value)) data[k] = value
        }
        await probe.compare('y', { dtype: result.dtype, shape: result.shape, data }, want)
      } finally {
        program.dispose()
      }
    },
  }
}

type V = Values[string]
const one = (x: Tensor): Tensors => ({ x })
const at = (values: Values, name: string): V => values[name] as V

const zeros = f([0, -0, 2, -4], [2, 2])

/** 1/f(x) on zeros of both signs: a zero that lost its sign gives the other infinity. */
const signed = (op: OpName, body: (x: V) => V, want: readonly number[], shape = [2, 2]): ProcedureCase =>
  fixedCase(`${op}/sign-of-zero`, one(zeros), (v) => ops.div(1, body(at(v, 'x'))), f(want, shape))

export const fromFinite = (): ProcedureCase[] => [
  fixedCase('Exp/overflow', one(f([0, 1000, -1000])), (v) => ops.exp(at(v, 'x')), f([1, INF, 0])),
  fixedCase(
    'Log/at-and-below-0',
    one(f([1, 0, -0, -1])),
    (v) => ops.log(at(v, 'x')),
    f([0, -INF, -INF, Number.NaN]),
  ),
  fixedCase('Sqrt/below-0', one(f([4, -1, 0])), (v) => ops.sqrt(at(v, 'x')), f([2, Number.NaN, 0])),
  fixedCase(
    'Div/by-0',
    { x: f([1, 1, -1, 0, 6, -1]), y: f([0, -0, 0, 0, 3, -0]) },
    (v) => ops.div(at(v, 'x'), at(v, 'y')),
    f([INF, -INF, -INF, Number.NaN, 2, INF]),
  ),
  signed('Neg', ops.neg, [-INF, INF, -0.5, 0.25]),
  signed('Mul', (x) => ops.mul(x, -1), [-INF, INF, -0.5, 0.25]),
  fixedCase(
    'Sqrt/sign-of-zero',
    one(f([0, -0, 4])),
    (v) => ops.div(1, ops.sqrt(at(v, 'x'))),
    f([INF, -INF, 0.5]),
  ),
  signed('Transpose', (x) => ops.permute(x), [INF, 0.5, -INF, -0.25]),
  signed('Concat', (x) => ops.concat([x, x], 0), [INF, -INF, 0.5, -0.25, INF, -INF, 0.5, -0.25], [4, 2]),
  signed('Slice', (x) => ops.slice(x, 0, 0, 1), [INF, -INF], [1, 2]),
  fixedCase(
    'Gather/sign-of-zero',
    { x: zeros, i: i([1, 0]) },
    (v) => ops.div(1, ops.gather(at(v, 'x'), at(v, 'i'), 1)),
    f([-INF, INF, -0.25, 0.5], [2, 2]),
  ),
]

/** The linear recurrence. */
import { ops, type Tensor } from '@fep-moe/core'
import { f, fill, noise } from '../frame/data.js'
import { type Example, example } from './case.js'

interface LinearOptions {
  readonly axis?: number
  readonly reverse?: boolean
}

/** The recurrence as the formula has it, one lane of (lanes, steps) after another, in doubles. */
function recurrence(
  a: (lane: number, t: number) => number,
  x: Tensor,
  h0: (lane: number) => number,
  reverse = false,
): { h: Tensor; last: Tensor } {
  const [lanes, steps] = x.shape as [number, number]
  const h = fill(x.shape, () => 0)
  const last = fill([lanes, 1], h0)
  for (let lane = 0; lane < lanes; lane++) {
    let state = h0(lane)
    for (let k = 0; k < steps; k++) {
      const t = reverse ? steps - 1 - k : k
      state = a(lane, t) * state + (x.data[lane * steps + t] as number)
      h.data[lane * steps + t] = state
      last.data[lane] = state
    }
  }
  return { h, last }
}

const linear = (
  id: string,
  feeds: { a: Tensor; b: Tensor; h0: Tensor },
  expected: { h: Tensor; last: Tensor },
  { axis = 1, reverse = false }: LinearOptions = {},
): Example => example(id, feeds, (v) => ({ ...ops.linearScan(v.a, v.b, v.h0, { axis, reverse }) }), expected)

const generated = (id: string, steps: number, vary: boolean, reverse: boolean): Example => {
  const b = noise(41, [3, steps])
  const a = noise(42, [3, vary ? steps : 1], -0.95, 0.95)
  const h0 = noise(43, [3, 1])
  const decay = (lane: number, t: number) => a.data[vary ? lane * steps + t : lane] as number
  return linear(
    id,
    { a, b, h0 },
    recurrence(decay, b, (lane) => h0.data[lane] as number, reverse),
    { reverse },
  )
}

const ones = (shape: readonly number[]) => fill(shape, () => 1)

/** Examples of LinearScan. */
export const LinearScan: readonly [Example, ...Example[]] = [
  linear('half', { a: f([[0.5]]), b: f([[8, 4, 2]]), h0: f([[0]]) }, { h: f([[8, 8, 6]]), last: f([[6]]) }),
  linear(
    'initial-state',
    { a: f([[0.5], [2]]), b: f([1, 1, 1, 1], [2, 2]), h0: f([[4], [-1]]) },
    { h: f([3, 2.5, -1, -1], [2, 2]), last: f([[2.5], [-1]]) },
  ),
  linear(
    'reverse',
    { a: f([[0.5]]), b: f([[8, 4, 2]]), h0: f([[16]]) },
    { h: f([[12.5, 9, 10]]), last: f([[12.5]]) },
    { reverse: true },
  ),
  linear(
    'decay-of-0-is-the-input',
    { a: f([[0]]), b: f([[3, -1, 2]]), h0: f([[100]]) },
    { h: f([[3, -1, 2]]), last: f([[2]]) },
  ),
  linear(
    'decay-of-1-is-a-running-sum',
    { a: f([[1]]), b: ones([1, 70]), h0: f([[0]]) },
    { h: fill([1, 70], (k) => k + 1), last: f([[70]]) },
  ),
  linear(
    'negative-decay',
    { a: f([[-0.5]]), b: f([[4, 0, 0]]), h0: f([[0]]) },
    { h: f([[4, -2, 1]]), last: f([[1]]) },
  ),
  // A reset multiplies one step's decay by 0: what came before is forgotten.
  linear(
    'time-varying-with-a-reset',
    { a: f([[0.5, 0.5, 0, 0.5]]), b: f([[4, 2, 6, 1]]), h0: f([[8]]) },
    { h: f([[8, 6, 6, 4]]), last: f([[4]]) },
  ),
  linear(
    'time-varying-reverse',
    { a: f([[0.5, 0, 2]]), b: f([[1, 2, 3]]), h0: f([[5]]) },
    { h: f([[2, 2, 13]]), last: f([[2]]) },
    { reverse: true },
  ),
  linear(
    'decay-per-step-only',
    { a: f([[1, 2]]), b: f([1, 1, 10, 10], [2, 2]), h0: f([[0]]) },
    { h: f([1, 3, 10, 30], [2, 2]), last: f([[3], [30]]) },
  ),
  linear(
    'one-step',
    { a: f([[0.25]]), b: f([[1], [2]]), h0: f([[4], [8]]) },
    { h: f([[2], [4]]), last: f([[2], [4]]) },
  ),
  linear(
    'no-step',
    { a: f([[0.5]]), b: f([], [2, 0]), h0: f([[3]]) },
    { h: f([], [2, 0]), last: f([[3], [3]]) },
  ),
  linear(
    'first-axis',
    { a: f([0.5, 2], [1, 2]), b: f([2, 1, 2, 1], [2, 2]), h0: f([0, 1], [1, 2]) },
    { h: f([2, 3, 3, 7], [2, 2]), last: f([3, 7], [1, 2]) },
    { axis: 0 },
  ),
  linear(
    'middle-axis-of-3',
    { a: f([0.5, 1], [1, 1, 2]), b: f([4, 1, 2, 1, 8, 0, 0, 5], [2, 2, 2]), h0: f(0, [1, 1, 1]) },
    { h: f([4, 1, 4, 2, 8, 0, 4, 5], [2, 2, 2]), last: f([4, 2, 4, 5], [2, 1, 2]) },
  ),
  generated('33-steps', 33, false, false),
  generated('33-steps-reverse', 33, false, true),
  generated('33-steps-time-varying', 33, true, false),
  generated('300-steps', 300, false, false),
  generated('300-steps-time-varying-reverse', 300, true, true),
  example(
    'batch-last',
    // The layout of a gate: dimensions, time, sequences.
    { a: f([0.5, 1], [2, 1, 1]), b: f([2, 4, 2, 4], [2, 2, 1]), h0: f([0], [1, 1, 1]) },
    (v) => ({ ...ops.linearScan(v.a, v.b, v.h0, { axis: 1 }) }),
    { h: f([2, 5, 2, 6], [2, 2, 1]), last: f([5, 6], [2, 1, 1]) },
    {
      shapes: { b: [2, 2, 'batch'] },
      more: [
        {
          feeds: {
            a: f([0.5, 1], [2, 1, 1]),
            b: f([2, 0, 4, 8, 2, 1, 4, 1], [2, 2, 2]),
            h0: f([2], [1, 1, 1]),
          },
          expected: { h: f([3, 1, 5.5, 8.5, 4, 3, 8, 4], [2, 2, 2]), last: f([5.5, 8.5, 8, 4], [2, 1, 2]) },
        },
      ],
    },
  ),
]

/** Composites with parameters: layers. */
import { ops, type Tensor } from '@fep-moe/core'
import { f, fill, noise } from '../frame/data.js'
import { type ExamplesOf, example } from './case.js'
import { normalize, rowwise, sigmoid, small, wide } from './row-formulas.js'

/** torch.nn.GRUCell written out: reset, update, new. */
function gru(x: Tensor, h: Tensor, [wi, wh, bi, bh]: readonly [Tensor, Tensor, Tensor, Tensor]): Tensor {
  const [inputs, hidden] = [x.shape[1] as number, h.shape[1] as number]
  const project = (v: Tensor, w: Tensor, bias: Tensor, row: number, k: number, width: number) => {
    let total = bias.data[k] as number
    for (let j = 0; j < width; j++)
      total += (v.data[row * width + j] as number) * (w.data[k * width + j] as number)
    return total
  }
  return fill(h.shape, (at) => {
    const [row, k] = [Math.floor(at / hidden), at % hidden]
    const fromX = (part: number) => project(x, wi, bi, row, part * hidden + k, inputs)
    const fromH = (part: number) => project(h, wh, bh, row, part * hidden + k, hidden)
    const [reset, update] = [sigmoid(fromX(0) + fromH(0)), sigmoid(fromX(1) + fromH(1))]
    const fresh = Math.tanh(fromX(2) + reset * fromH(2))
    return (1 - update) * fresh + update * (h.data[at] as number)
  })
}
const gruFeeds = (batch: number) => ({ x: noise(52, [batch, 3]), h: noise(53, [batch, 2]) })
const gruWeights = [noise(54, [6, 3]), noise(55, [6, 2]), noise(56, [6]), noise(57, [6])] as const

type Layer = 'Linear' | 'LayerNorm' | 'GruCell'

export const layers: ExamplesOf<Layer> = {
  Linear: [
    example(
      'bias',
      { x: f([[1, 2]]), w: f([1, 0, 0, 1, 1, -1], [3, 2]), c: f([10, 20, 30]) },
      (v) => ({ y: ops.linear(v.x, v.w, v.c) }),
      { y: f([[11, 22, 29]]) },
    ),
    example(
      'no-bias',
      { x: f([1, 2, 3, 4], [2, 2]), w: f([[1, -1]]) },
      (v) => ({ y: ops.linear(v.x, v.w) }),
      { y: f([[-1], [-1]]) },
    ),
    example(
      'rank-1',
      { x: f([1, 2]), w: f([3, 4, 5, 6], [2, 2]), c: f([0, 1]) },
      (v) => ({ y: ops.linear(v.x, v.w, v.c) }),
      { y: f([11, 18]) },
    ),
    example(
      'rank-3-batch',
      { x: f([1, 2, 3, 4], [1, 2, 2]), w: f([2, 0, 0, 3], [2, 2]), c: f([1, 1]) },
      (v) => ({ y: ops.linear(v.x, v.w, v.c) }),
      { y: f([3, 7, 7, 13], [1, 2, 2]) },
      {
        shapes: { x: ['batch', 2, 2] },
        more: [
          {
            feeds: { x: f([1, 0, 0, 1, 1, 1, 0, 0], [2, 2, 2]), w: f([2, 0, 0, 3], [2, 2]), c: f([1, 1]) },
            expected: { y: f([3, 1, 1, 4, 3, 4, 1, 1], [2, 2, 2]) },
          },
        ],
      },
    ),
  ],
  LayerNorm: [
    example(
      'rows',
      { x: small, w: f([1, 2, 0.5]), c: f([0, 1, -1]) },
      (v) => ({ y: ops.layerNorm(v.x, v.w, v.c, -1, 1e-5) }),
      {
        y: f(
          rowwise(small, 3, (row) =>
            normalize(row, 1e-5).map((v, k) => v * ([1, 2, 0.5][k] as number) + ([0, 1, -1][k] as number)),
          ),
          [2, 3],
        ),
      },
    ),
    example(
      'constant-row-is-the-bias',
      { x: f([[3, 3, 3, 3]]), w: f([1, 1, 1, 1]), c: f([1, 2, 3, 4]) },
      (v) => ({ y: ops.layerNorm(v.x, v.w, v.c) }),
      { y: f([[1, 2, 3, 4]]) },
    ),
    example(
      '300-per-row',
      { x: wide, w: fill([300], () => 1), c: fill([300], () => 0) },
      (v) => ({ y: ops.layerNorm(v.x, v.w, v.c, -1, 1e-3) }),
      {
        y: f(
          rowwise(wide, 300, (row) => normalize(row, 1e-3)),
          [3, 300],
        ),
      },
    ),
    example(
      'first-axis',
      {
        x: f([
          [1, 10],
          [3, 30],
        ]),
        w: f([[2], [2]]),
        c: f([[0], [1]]),
      },
      (v) => ({ y: ops.layerNorm(v.x, v.w, v.c, 0, 0) }),
      { y: f([-2, -2, 3, 3], [2, 2]) },
    ),
  ],
  GruCell: [
    example(
      'batch',
      { ...gruFeeds(2), ...gruParameters() },
      (v) => ({ y: ops.gruCell(v.x, v.h, v.wi, v.wh, v.bi, v.bh) }),
      { y: gru(gruFeeds(2).x, gruFeeds(2).h, gruWeights) },
      {
        shapes: { x: ['batch', 3], h: ['batch', 2] },
        more: [
          {
            feeds: { ...gruFeeds(5), ...gruParameters() },
            expected: { y: gru(gruFeeds(5).x, gruFeeds(5).h, gruWeights) },
          },
        ],
      },
    ),
    example(
      'zero-weights-halve-the-state',
      {
        x: f([[1]]),
        h: f([[4, -2]]),
        wi: fill([6, 1], () => 0),
        wh: fill([6, 2], () => 0),
        bi: fill([6], () => 0),
        bh: fill([6], () => 0),
      },
      (v) => ({ y: ops.gruCell(v.x, v.h, v.wi, v.wh, v.bi, v.bh) }),
      { y: f([[2, -1]]) },
    ),
  ],
}

function gruParameters() {
  const [wi, wh, bi, bh] = gruWeights
  return { wi, wh, bi, bh }
}

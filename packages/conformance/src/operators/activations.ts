/** Composites of one element: activations. */
import { ops } from '@fep-moe/core'
import { f, fill, mapped } from '../frame/data.js'
import type { ExamplesOf } from './case.js'
import { on, sigmoid } from './row-formulas.js'

type Activation = 'Relu' | 'Gelu' | 'Silu' | 'Softplus' | 'Clip'

export const activations: ExamplesOf<Activation> = {
  Relu: [
    on('signs', f([-2, 0, -0, 3]), ops.relu, f([0, 0, 0, 3])),
    on(
      '301-elements',
      fill([301], (k) => k - 150),
      ops.relu,
      fill([301], (k) => Math.max(0, k - 150)),
    ),
  ],
  Gelu: [
    // x Φ(x) with Φ from the table of erf.
    on(
      'table',
      f([0, 1, -1, Math.SQRT2, 10, -10]),
      ops.gelu,
      f([0, 0.8413447460685429, -0.15865525393145705, 1.3029862263925718, 10, 0]),
    ),
    on(
      '301-elements',
      fill([301], (k) => (k - 150) / 30),
      ops.gelu,
      mapped(
        fill([301], (k) => (k - 150) / 30),
        gelu,
      ),
    ),
  ],
  Silu: [
    on('table', f([0, 1, -1, 100, -100]), ops.silu, f([0, 0.7310585786300049, -0.2689414213699951, 100, 0])),
    on(
      '301-elements',
      fill([301], (k) => (k - 150) / 20),
      ops.silu,
      mapped(
        fill([301], (k) => (k - 150) / 20),
        (x) => x * sigmoid(x),
      ),
    ),
  ],
  Softplus: [
    on(
      'table',
      f([0, 1, -1, 100, -100]),
      ops.softplus,
      f([Math.LN2, 1.3132616875182228, 0.31326168751822286, 100, 0]),
    ),
    on(
      '301-elements',
      fill([301], (k) => (k - 150) / 20),
      ops.softplus,
      mapped(
        fill([301], (k) => (k - 150) / 20),
        (x) => Math.log1p(Math.exp(x)),
      ),
    ),
  ],
  Clip: [
    on('both-ends', f([-5, -1, 0, 1, 5]), (x) => ops.clip(x, -1, 2), f([-1, -1, 0, 1, 2])),
    on('empty', f([], [0]), (x) => ops.clip(x, 0, 1), f([], [0])),
  ],
}

/** By the series of erf, which converges for every x used here. */
function gelu(x: number): number {
  const z = x / Math.SQRT2
  let [term, total] = [z, z]
  for (let n = 1; n < 200; n++) {
    term *= (-z * z) / n
    total += term / (2 * n + 1)
  }
  return (x / 2) * (1 + (2 / Math.sqrt(Math.PI)) * total)
}

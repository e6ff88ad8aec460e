import { describe, expect, it } from 'vitest'
import {
  adam,
  GraphBuilder,
  gradients,
  type Optimizer,
  ops,
  sgd,
  type Tensor,
  verifyGraph,
} from '../src/index.js'
import { applyOptimizer, packInputs } from '../src/training/index.js'
import { codeOf, evaluate, wave } from './helpers.js'

/** loss = Σ (p − target)² over two parameters. */
function problem() {
  const b = new GraphBuilder('problem')
  const parts = ['a', 'b'].map((name) => {
    const d = ops.sub(b.input(name, 'float32', [2, 2]), b.input(`target/${name}`, 'float32', [2, 2]))
    return ops.sum(ops.mul(d, d))
  })
  b.output('loss', ops.add(parts[0] as never, parts[1] as never))
  return gradients(b.build(), { of: 'loss', wrt: ['a', 'b'] })
}

/** Runs five steps; `update` is the textbook rule on plain numbers. */
function compare(
  optimizer: Optimizer,
  update: (p: number, g: number, slot: Record<string, number>, n: number) => number,
): void {
  const graph = applyOptimizer(packInputs(problem(), ['a', 'b']), optimizer, ['params'])
  verifyGraph(graph)
  const targets = [wave([2, 2], 3), wave([2, 2], 4)] as const
  const flat = [...targets[0].data, ...targets[1].data]
  const plain = Array.from({ length: 8 }, (_, i) => i / 8)
  const slots = plain.map((): Record<string, number> => ({}))
  let held: Record<string, Tensor> = {
    params: { dtype: 'float32', shape: [8], data: Float64Array.from(plain) },
  }
  for (const s of optimizer.state) {
    const shape = s.shape === 'scalar' ? [] : [8]
    held[`${optimizer.name}/${s.name}/params`] = {
      dtype: 'float32',
      shape,
      data: new Float64Array(shape.length ? 8 : 1),
    }
  }
  for (let n = 1; n <= 5; n++) {
    const lr = { dtype: 'float32', shape: [], data: Float64Array.of(optimizer.lr) } as const
    const results = evaluate(graph, { ...held, 'target/a': targets[0], 'target/b': targets[1], lr })
    held = Object.fromEntries(Object.keys(held).map((name) => [name, results[name] as Tensor]))
    plain.forEach((p, i) => {
      plain[i] = update(p, 2 * (p - (flat[i] as number)), slots[i] as Record<string, number>, n)
    })
    plain.forEach((p, i) => expect(held.params?.data[i]).toBeCloseTo(p, 12))
  }
}

describe('optimizers', () => {
  it('adam is the textbook rule', () => {
    compare(adam({ lr: 0.01, betas: [0.8, 0.95], epsilon: 1e-6 }), (p, g, slot, n) => {
      slot.m = 0.8 * (slot.m ?? 0) + 0.2 * g
      slot.v = 0.95 * (slot.v ?? 0) + 0.05 * g * g
      return p - (0.01 * (slot.m / (1 - 0.8 ** n))) / (Math.sqrt(slot.v / (1 - 0.95 ** n)) + 1e-6)
    })
  })

  it('sgd is the textbook rule, with and without momentum', () => {
    compare(sgd({ lr: 0.05 }), (p, g) => p - 0.05 * g)
    compare(sgd({ lr: 0.05, momentum: 0.9 }), (p, g, slot) => {
      slot.v = 0.9 * (slot.v ?? 0) + g
      return p - 0.05 * slot.v
    })
  })

  it('refuse bad settings and graphs without gradients', async () => {
    expect(await codeOf(() => adam({ lr: -1 }))).toBe('FEP_BAD_CONFIG')
    expect(await codeOf(() => adam({ lr: 0.1, betas: [1, 0.9] }))).toBe('FEP_BAD_CONFIG')
    expect(await codeOf(() => sgd({ lr: Number.NaN }))).toBe('FEP_BAD_CONFIG')
    expect(await codeOf(() => sgd({ lr: 0.1, nesterov: true } as never))).toBe('FEP_BAD_CONFIG')
    expect(await codeOf(() => applyOptimizer(problem(), sgd({ lr: 1 }), ['c']))).toBe('FEP_BAD_GRAPH')
  })
})

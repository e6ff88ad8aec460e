import { describe, expectTypeOf, it } from 'vitest'
import type { Backend } from '../src/index.js'
import { createGate, type GateConfig, type Params, preset, type Tensor } from '../src/index.js'

declare const backend: Backend
declare const params: Params
declare const x: Tensor

describe('types follow the configuration', () => {
  it('next exists where there is anticipation', async () => {
    const with_ = await createGate({ dim: 4, experts: 2, anticipation: { kind: 'additive' } }).route(
      backend,
      params,
      x,
    )
    expectTypeOf(with_.next).toEqualTypeOf<Tensor>()
    expectTypeOf(with_.horizon).toEqualTypeOf<0>()
    const without = await createGate({ dim: 4, experts: 2 }).route(backend, params, x)
    // @ts-expect-error a gate without anticipation returns no next
    void without.next
    const unknown = await createGate({} as GateConfig).route(backend, params, x)
    expectTypeOf(unknown.next).toEqualTypeOf<Tensor | undefined>()
  })

  it('the horizon is a literal', () => {
    expectTypeOf(createGate({ dim: 4, experts: 2 }).horizon).toEqualTypeOf<0>()
    expectTypeOf(createGate(preset('paper-a/beta+ant', { dim: 4, experts: 2 })).horizon).toEqualTypeOf<1>()
    expectTypeOf(createGate(preset('paper-a/oracle', { dim: 4, experts: 2 })).horizon).toEqualTypeOf<1>()
    expectTypeOf(createGate({ dim: 4, experts: 2, belief: {} }).horizon).toEqualTypeOf<1>()
    expectTypeOf(createGate({ dim: 4, experts: 2, belief: { horizon: 0 } }).horizon).toEqualTypeOf<0>()
    expectTypeOf(
      createGate({ dim: 4, experts: 2, anticipation: { kind: 'logits' } }).horizon,
    ).toEqualTypeOf<1>()
  })

  it('wrong combinations do not compile', () => {
    // @ts-expect-error an oracle has no memory
    createGate({ dim: 4, experts: 2, router: 'oracle', memory: { kind: 'leaky' } })
    // @ts-expect-error beta or tau, not both
    createGate({ dim: 4, experts: 2, memory: { kind: 'leaky', beta: 0.9, tau: 2 } })
    // @ts-expect-error top-k needs k
    createGate({ dim: 4, experts: 2, select: { kind: 'top-k' } })
    // @ts-expect-error dense takes no k
    createGate({ dim: 4, experts: 2, select: { kind: 'dense', k: 2 } })
    // @ts-expect-error unknown mechanism
    createGate({ dim: 4, experts: 2, attention: {} })
    // @ts-expect-error a belief has states, not state
    createGate({ dim: 4, experts: 2, belief: { state: 3 } })
  })
})

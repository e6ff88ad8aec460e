/** What routing promises: causality, independence of the batch and of the experts' order, purity. */
import type { Gate, GateConfig, RouteResult, Tensor } from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { stepsOf } from '../frame/steps.js'
import { flags } from '../fuzz/gates/scene.js'
import { compareDecisions, logitBound } from '../gates/agreement.js'
import { cutTold, mapTold } from '../gates/case.js'
import { orderFrom, perExpertIn, permuted, reordered, restored } from './permuted.js'
import { propertyCase } from './property.js'
import { causalGates, type Drawn, editedFrom, gates, oracles, sceneOf, sequenceOf } from './scenes.js'

type Routed = RouteResult<GateConfig>

/** Every tensor of a result by name. */
const tensorsOf = (result: Routed): [string, Tensor][] =>
  Object.entries(result).filter((entry): entry is [string, Tensor] => typeof entry[1] === 'object')

/** The results up to a step, in two runs, bit for bit. */
async function sameUntil(probe: Probe, step: number, first: Routed, second: Routed): Promise<void> {
  const other = new Map(tensorsOf(second))
  for (const [name, t] of tensorsOf(first))
    await probe.compare(
      `${name} until step ${step}`,
      stepsOf(probe.present(name, other.get(name)), 0, step + 1),
      stepsOf(t, 0, step + 1),
    )
}

const causal = propertyCase<Drawn>({
  id: 'causal',
  seed: 601,
  note: 'what comes after a token changes nothing up to it: not a bit differs',
  things: causalGates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const last = (drawn.at[0] as number) % (drawn.steps - 1)
    const reset = flags(drawn.seed + 3, [drawn.batch, drawn.steps])
    const laterReset = { ...reset, data: reset.data.slice() as Tensor['data'] }
    for (let b = 0; b < drawn.batch; b++) laterReset.data[b * drawn.steps + last + 1] = 1
    const options = { ...precision, details: true }
    const whole = await gate.route(probe.backend, params, x, { ...options, reset })
    const edited = await gate.route(probe.backend, params, editedFrom(x, last + 1, drawn.seed + 4), {
      ...options,
      reset: laterReset,
    })
    probe.check(gate.causal, 'a gate that does not look ahead must say that it is causal')
    await sameUntil(probe, last, whole, edited)
    await gate.release(probe.backend)
  },
})

const oracle = propertyCase<Drawn>({
  id: 'oracle-looks-one-token-ahead',
  seed: 602,
  note: 'a step of the oracle depends on the next token and on none after it; it says so, and does not stream',
  things: oracles,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const last = (drawn.at[0] as number) % (drawn.steps - 1)
    const route = (tokens: Tensor) => gate.route(probe.backend, params, tokens, { ...precision })
    const whole = await route(x)
    // Nothing comes after the token that the last step but one looks at: then nothing is edited.
    await sameUntil(probe, last, whole, await route(editedFrom(x, last + 2, drawn.seed + 4)))
    probe.check(!gate.causal && gate.horizon === 1, 'the oracle decides for the next token, not causally')
    await probe.rejects('FEP_UNSUPPORTED', 'a stream of an oracle', () =>
      gate.stream(probe.backend, params, { batch: drawn.batch }),
    )
    await gate.release(probe.backend)
  },
})

const equivariant = propertyCase<Drawn>({
  id: 'permutation-equivariant',
  seed: 603,
  note: 'experts in another order give the same decisions in that order, under the margin rule',
  things: gates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const order = orderFrom(drawn.at, drawn.config.experts)
    const want = await gate.route(probe.backend, params, x, precision)
    const got = await gate.route(
      probe.backend,
      permuted(params, order, perExpertIn(gate)),
      x,
      mapTold(precision, (t) => reordered(t, order)),
    )
    await compareDecisions(
      probe,
      'permuted',
      {
        logits: restored(got.logits, order),
        weights: restored(got.weights, order),
        indices: { ...got.indices, data: Int32Array.from(got.indices.data, (i) => order[i] ?? -1) },
        margin: got.margin,
        next: got.next && restored(got.next, order),
      },
      want,
      logitBound(gate, params, drawn.steps, want.logits),
    )
    await gate.release(probe.backend)
  },
})

const batchInvariant = propertyCase<Drawn>({
  id: 'batch-invariant',
  seed: 604,
  note: 'a sequence alone is routed as among others, under the margin rule',
  things: gates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const among = await gate.route(probe.backend, params, x, precision)
    const row = (drawn.at[0] as number) % drawn.batch
    const options = cutTold(precision, (t) => sequenceOf(t, row))
    const alone = await gate.route(probe.backend, params, sequenceOf(x, row), options)
    const want = {
      logits: sequenceOf(among.logits, row),
      weights: sequenceOf(among.weights, row),
      indices: sequenceOf(among.indices, row),
      margin: sequenceOf(among.margin, row),
      next: among.next && sequenceOf(among.next, row),
    }
    await compareDecisions(probe, 'alone', alone, want, logitBound(gate, params, drawn.steps, among.logits))
    await gate.release(probe.backend)
  },
})

const copies = (tensors: Readonly<Record<string, Tensor>>): [string, Tensor, Tensor][] =>
  Object.entries(tensors).map(([name, t]) => [name, t, { ...t, data: t.data.slice() as Tensor['data'] }])

const pure = propertyCase<Drawn>({
  id: 'pure',
  seed: 605,
  note: 'the same call gives the same bytes, and leaves parameters and tokens as they were',
  things: gates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const before = copies({ ...params, x, ...precision })
    const route = (of: Gate) => of.route(probe.backend, params, x, { ...precision, details: true })
    const first = await route(gate)
    const kept = copies(Object.fromEntries(tensorsOf(first)))
    await sameUntil(probe, drawn.steps - 1, first, await route(gate))
    // Results are the caller's: a later call does not write into them.
    for (const [name, now, then] of [...before, ...kept]) await probe.compare(`${name} afterwards`, now, then)
    await gate.release(probe.backend)
  },
})

/** See the file's header. */
export const routing = (): ProcedureCase[] => [causal, oracle, batchInvariant, equivariant, pure]

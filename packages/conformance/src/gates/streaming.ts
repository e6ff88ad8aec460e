/** Streaming = sequence: one token at a time gives the numbers of the whole sequence, for every combination of mechanisms. */
import type { GateConfig, SelectConfig } from '@fep-moe/core'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import { f } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { stepOf } from '../frame/steps.js'
import { compareDecisions, logitBound } from './agreement.js'
import { configOf, gateCase, type Mechanisms, optionsAt, sceneOf } from './case.js'
import { RARER } from './rarer.js'

const RULE =
  'logits within 8 · T_eff · 2⁻²⁴ · max|logit|; the same experts wherever the margin exceeds twice that'

interface Size {
  readonly batch: number
  readonly steps: number
  readonly seed: number
}

async function checkStreaming(probe: Probe, config: GateConfig, size: Size): Promise<void> {
  const { gate, params, x, options } = sceneOf(config, size)
  const { batch, steps } = size
  const whole = await gate.route(probe.backend, params, x, { ...options, details: true })
  const bound = logitBound(gate, params, steps, whole.logits)
  const stream = await gate.stream(probe.backend, params, { batch })
  try {
    for (let t = 0; t < steps; t++) {
      const got = await stream.step(stepOf(x, t), optionsAt(options, t))
      const want = {
        logits: stepOf(whole.logits, t),
        weights: stepOf(whole.weights, t),
        indices: stepOf(whole.indices, t),
        margin: stepOf(whole.margin, t),
        next: whole.next && stepOf(whole.next, t),
      }
      await compareDecisions(probe, `step ${t}`, got, want, bound)
    }
    const { memory } = await stream.snapshot()
    if (memory && whole.memory) {
      const last = stepOf(whole.memory, steps - 1)
      const atol = 8 * steps * 2 ** -24 * Math.max(...Array.from(whole.memory.data, Math.abs))
      await probe.compare('the membrane at the end', memory, last, { atol, rtol: 0 })
    }
  } finally {
    stream.dispose()
    await gate.release(probe.backend)
  }
}

const streamingCase = (id: string, config: GateConfig, size: Size): ProcedureCase =>
  gateCase(`streaming/${id}`, size.seed, EXACT, RULE, (probe) => checkStreaming(probe, config, size))

const SELECTIONS: Readonly<Record<string, SelectConfig>> = {
  dense: { kind: 'dense' },
  'top-2-softmax-before': { kind: 'top-k', k: 2, softmax: 'before' },
  'top-2-softmax-after': { kind: 'top-k', k: 2, softmax: 'after' },
}
const memory = { kind: 'leaky', beta: 0.9 } as const
const parts = { dim: 5, experts: 4 }

/** Memory on and off, Π on and off (as a gain with dense selection, as evidence with top-k), no anticipation and both kinds. */
function combinations(): ProcedureCase[] {
  const cases: ProcedureCase[] = []
  for (const [selection, select] of Object.entries(SELECTIONS)) {
    for (const bias of [true, false]) {
      for (let bits = 0; bits < 4; bits++) {
        for (const anticipation of ['none', 'direct', 'additive'] as const) {
          const mechanisms: Mechanisms = {
            ...parts,
            bias,
            select,
            memory: bits & 1 ? memory : undefined,
            precision: bits & 2 ? { kind: select.kind === 'dense' ? 'gain' : 'evidence' } : undefined,
            anticipation: anticipation === 'none' ? undefined : { kind: anticipation, width: 6 },
          }
          const name = [
            bits & 1 ? 'beta' : '',
            bits & 2 ? 'pi' : '',
            anticipation === 'none' ? '' : anticipation,
          ]
          const id = `${name.filter(Boolean).join('+') || 'affinity'}/${selection}/${bias ? 'bias' : 'no-bias'}`
          cases.push(
            streamingCase(id, configOf(mechanisms), { batch: 3, steps: 7, seed: 200 + cases.length }),
          )
        }
      }
    }
  }
  return cases
}

const full: Mechanisms = {
  ...parts,
  memory,
  precision: { kind: 'gain' },
  anticipation: { kind: 'additive', width: 6 },
  select: { kind: 'top-k', k: 2 },
}

const SIZES: readonly ProcedureCase[] = [
  streamingCase('one-step', configOf(full), { batch: 3, steps: 1, seed: 301 }),
  streamingCase('one-sequence', configOf(full), { batch: 1, steps: 7, seed: 302 }),
  streamingCase('one-token-of-one-sequence', configOf(full), { batch: 1, steps: 1, seed: 303 }),
  streamingCase('one-expert', configOf({ ...full, experts: 1, select: { kind: 'dense' } }), {
    batch: 2,
    steps: 4,
    seed: 304,
  }),
  streamingCase('one-expert-top-1', configOf({ ...full, experts: 1, select: { kind: 'top-k', k: 1 } }), {
    batch: 2,
    steps: 4,
    seed: 305,
  }),
  streamingCase('all-experts-selected', configOf({ ...full, select: { kind: 'top-k', k: 4 } }), {
    batch: 2,
    steps: 4,
    seed: 306,
  }),
  streamingCase('one-dimension', configOf({ ...full, dim: 1 }), { batch: 2, steps: 4, seed: 307 }),
  streamingCase('odd-dimension', configOf({ ...full, dim: 17 }), { batch: 2, steps: 4, seed: 308 }),
  streamingCase('200-steps-that-remember-100', configOf({ ...full, memory: { kind: 'leaky', beta: 0.99 } }), {
    batch: 2,
    steps: 200,
    seed: 309,
  }),
  streamingCase(
    'a-decay-per-dimension',
    configOf({ ...full, memory: { kind: 'leaky', beta: [0.1, 0.5, 0.9, 0.99, 0.7] } }),
    { batch: 2, steps: 12, seed: 310 },
  ),
  streamingCase('tau-fixed', configOf({ ...full, memory: { kind: 'leaky', tau: 2 } }), {
    batch: 2,
    steps: 6,
    seed: 311,
  }),
  streamingCase(
    'two-low-rank-layers',
    configOf({ ...full, anticipation: { kind: 'additive', width: 6, depth: 2, rank: 2 } }),
    { batch: 2, steps: 5, seed: 312 },
  ),
]

const restoring = gateCase(
  'streaming/snapshot-and-restore',
  320,
  EXACT,
  'the same program on the same state: not a bit differs',
  async (probe) => {
    const { gate, params, x, options } = sceneOf(configOf(full), { batch: 2, steps: 4, seed: 320 })
    const stream = await gate.stream(probe.backend, params, { batch: 2 })
    try {
      await stream.step(stepOf(x, 0), options)
      const state = await stream.snapshot()
      const first = await stream.step(stepOf(x, 1), options)
      await stream.step(stepOf(x, 2), options)
      stream.restore(state)
      const again = await stream.step(stepOf(x, 1), options)
      await probe.compare('logits', again.logits, first.logits)
      await probe.compare(
        'the state',
        (await stream.snapshot()).memory ?? f([]),
        (await afterOne(probe, state)).memory ?? f([]),
      )
      await probe.rejects('FEP_BAD_FEED', 'a state of the wrong shape', () =>
        stream.restore({ memory: f([1]) }),
      )
      stream.dispose()
      await probe.rejects('FEP_DISPOSED', 'a step of a disposed stream', () =>
        stream.step(stepOf(x, 0), options),
      )
    } finally {
      stream.dispose()
    }

    async function afterOne(p: Probe, state: Awaited<ReturnType<typeof stream.snapshot>>) {
      const other = await gate.stream(p.backend, params, { batch: 2 })
      try {
        other.restore(state)
        await other.step(stepOf(x, 1), options)
        return await other.snapshot()
      } finally {
        other.dispose()
      }
    }
  },
)

const rarer = (): ProcedureCase[] =>
  Object.entries(RARER).flatMap(([name, config], k) => [
    streamingCase(name, config, { batch: 3, steps: 7, seed: 340 + k }),
    streamingCase(`${name}/one-token`, config, { batch: 1, steps: 1, seed: 370 + k }),
  ])

export const streaming = (): ProcedureCase[] => [...combinations(), ...SIZES, ...rarer(), restoring]

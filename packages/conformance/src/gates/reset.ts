/** A reset mask: documents packed into one sequence route as they would alone. */
import { type GateConfig, type Tensor, tensor } from '@fep-moe/core'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { stepOf, stepsOf } from '../frame/steps.js'
import { compareDecisions, logitBound } from './agreement.js'
import { configOf, gateCase, type Mechanisms, optionsAt, sceneOf } from './case.js'
import { RARER } from './rarer.js'

const NOTE = 'held to the rule of streaming = sequence'
const STEPS = 9
const CUT = 4

/** True at the first token of the second document, in some rows, and at the very first token, where it changes nothing. */
const maskOf = (rows: readonly boolean[]): Tensor => {
  const data = new Uint8Array(rows.length * STEPS)
  rows.forEach((resets, b) => {
    if (resets) data[b * STEPS + CUT] = 1
    if (b % 2 === 0) data[b * STEPS] = 1
  })
  return tensor(data, [rows.length, STEPS], 'bool')
}

/** Rows of `a` where `first` says so, rows of `b` elsewhere. */
function merge(first: readonly boolean[], a: Tensor, b: Tensor): Tensor {
  const width = a.data.length / first.length
  const data = b.data.slice()
  first.forEach((isFirst, row) => {
    if (isFirst) data.set(a.data.subarray(row * width, (row + 1) * width) as Float32Array, row * width)
  })
  return { ...b, data: data as Tensor['data'] }
}

async function checkMask(probe: Probe, config: GateConfig, seed: number): Promise<void> {
  const rows = [true, false, true]
  const { gate, params, x, options } = sceneOf(config, { batch: 3, steps: STEPS, seed })
  const route = (tokens: Tensor, reset?: Tensor) => {
    // Where every token has a Π, the second document brings its own.
    const [from, to] = [STEPS - (tokens.shape[1] as number), STEPS]
    const own = Object.entries(options).map(([name, t]) => [
      name,
      t.shape.length === 3 ? stepsOf(t, from, to) : t,
    ])
    return gate.route(probe.backend, params, tokens, {
      ...Object.fromEntries(own),
      ...(reset ? { reset } : {}),
    })
  }
  try {
    const packed = await route(x, maskOf(rows))
    const through = await route(x)
    const alone = await route(stepsOf(x, CUT, STEPS))
    const bound = logitBound(gate, params, STEPS, through.logits)
    for (let t = 0; t < STEPS; t++) {
      const [old, fresh] = [through, t < CUT ? through : alone]
      const at = (r: Tensor | undefined, start: number) => stepOf(r as Tensor, t - start)
      const start = t < CUT ? 0 : CUT
      const pick = (name: 'logits' | 'weights' | 'indices' | 'margin') =>
        merge(rows, at(fresh[name], start), at(old[name], 0))
      await compareDecisions(
        probe,
        `step ${t}`,
        {
          logits: at(packed.logits, 0),
          weights: at(packed.weights, 0),
          indices: at(packed.indices, 0),
          margin: at(packed.margin, 0),
        },
        {
          logits: pick('logits'),
          weights: pick('weights'),
          indices: pick('indices'),
          margin: pick('margin'),
        },
        bound,
      )
    }
  } finally {
    await gate.release(probe.backend)
  }
}

async function checkStreamReset(probe: Probe, config: GateConfig, seed: number): Promise<void> {
  const { gate, params, x, options } = sceneOf(config, { batch: 3, steps: STEPS, seed })
  const packed = await gate.route(probe.backend, params, x, {
    ...options,
    reset: maskOf([true, false, true]),
  })
  const bound = logitBound(gate, params, STEPS, packed.logits)
  const stream = await gate.stream(probe.backend, params, { batch: 3 })
  try {
    for (let t = 0; t < STEPS; t++) {
      if (t === CUT) await stream.reset([0, 2])
      const got = await stream.step(stepOf(x, t), optionsAt(options, t))
      const want = {
        logits: stepOf(packed.logits, t),
        weights: stepOf(packed.weights, t),
        indices: stepOf(packed.indices, t),
        margin: stepOf(packed.margin, t),
      }
      await compareDecisions(probe, `step ${t}`, got, want, bound)
    }
  } finally {
    stream.dispose()
    await gate.release(probe.backend)
  }
}

const memory = { kind: 'leaky', beta: 0.9 } as const
const CONFIGS: Readonly<Record<string, Mechanisms>> = {
  affinity: { dim: 5, experts: 4 },
  beta: { dim: 5, experts: 4, memory },
  'beta+direct': { dim: 5, experts: 4, memory, anticipation: { kind: 'direct', width: 6 } },
  'beta+pi+additive': {
    dim: 5,
    experts: 4,
    memory,
    precision: { kind: 'evidence' },
    anticipation: { kind: 'additive', width: 6 },
    select: { kind: 'top-k', k: 2 },
  },
  'tau-fixed': { dim: 5, experts: 4, memory: { kind: 'leaky', tau: 3 } },
}

/** See the file's header. */
export const reset = (): ProcedureCase[] =>
  [
    ...Object.entries(CONFIGS).map(([name, m]) => [name, configOf(m)] as const),
    ...Object.entries(RARER),
  ].flatMap(([name, config], k) => [
    gateCase(`reset/mask/${name}`, 330 + k, EXACT, NOTE, (probe) => checkMask(probe, config, 330 + k)),
    gateCase(`reset/stream/${name}`, 340 + k, EXACT, NOTE, (probe) =>
      checkStreamReset(probe, config, 340 + k),
    ),
  ])

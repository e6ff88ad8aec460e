/** Precision (paper A §3.2): Π multiplies the logits as a gain, and adds its logarithm as evidence. */
import { createGate, type PrecisionConfig, type Tensor } from '@fep-moe/core'
import type { ProcedureCase, Tolerance } from '../frame/case.js'
import { f, fill } from '../frame/data.js'
import type { Probe } from '../frame/probe.js'
import { gateCase, sceneOf } from './case.js'

const SIZE = { dim: 5, experts: 4, memory: { kind: 'leaky' } } as const

/** The logits are the same sums twice; Π then rounds once or twice more. */
const TOLERANCE: Tolerance = { atol: 2e-6, rtol: 4e-6 }

/** What a kind of precision makes of a logit. */
const FORMULAS = {
  gain: (logit: number, pi: number) => logit * pi,
  evidence: (logit: number, pi: number) => logit + Math.log(pi),
} as const satisfies Record<PrecisionConfig['kind'], (logit: number, pi: number) => number>

async function checkKind(probe: Probe, kind: PrecisionConfig['kind']): Promise<void> {
  const { gate, params, x } = sceneOf({ ...SIZE, precision: { kind } }, { batch: 2, steps: 3, seed: 61 })
  const plain = createGate(SIZE)
  const precision = f([0.25, 1, 3.5, 1000])
  try {
    const base = (await plain.route(probe.backend, params, x)).logits
    const { logits } = await gate.route(probe.backend, params, x, { precision })
    const expected: Tensor = fill(base.shape, (at) =>
      FORMULAS[kind](base.data[at] as number, precision.data[at % 4] as number),
    )
    await probe.compare('logits', logits, expected)
  } finally {
    await gate.release(probe.backend)
    await plain.release(probe.backend)
  }
}

/** The cases of both kinds. */
export const precision = (): ProcedureCase[] =>
  (Object.keys(FORMULAS) as PrecisionConfig['kind'][]).map((kind) =>
    gateCase(
      `precision/${kind}`,
      61,
      TOLERANCE,
      'the gate without precision, with Π put in by a formula',
      (probe) => checkKind(probe, kind),
    ),
  )

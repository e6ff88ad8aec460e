/** Finite tokens of any size give finite decisions, in both forms. */
import { createGate, type GateConfig, type Tensor } from '@fep-moe/core'
import type { ProcedureCase } from '../../frame/case.js'
import { fill } from '../../frame/data.js'
import type { Probe } from '../../frame/probe.js'
import { stepOf } from '../../frame/steps.js'
import {
  allFinite,
  BATCH,
  CONFIGS,
  type Decision,
  DIM,
  decisionOf,
  extremeOptions,
  gateCase,
  inRange,
  STEPS,
} from './scene.js'

/** The largest, the smallest denormal, and what lies between. */
const EXTREMES = [3.4e38, -3.4e38, 1.4e-45, -1.4e-45, 1e15, -1e20, 0, -0, 1, -3.4e38, 1e-30]
const extremeTokens: Tensor = fill([BATCH, STEPS, DIM], (k) => EXTREMES[(k * 7) % EXTREMES.length] as number)
/** Rows that are weights: not negative, and together 1. */
function areWeights({ shape, data }: Tensor): boolean {
  const width = shape.at(-1) as number
  for (let at = 0; at < data.length; at += width) {
    const row = Array.from(data.subarray(at, at + width))
    if (row.some((w) => w < 0) || Math.abs(row.reduce((n, w) => n + w, 0) - 1) > 1e-5) return false
  }
  return true
}

function checkDecision(probe: Probe, what: string, { next, ...rest }: Decision, config: GateConfig): void {
  const { select } = config
  const results = { ...rest, ...(next && { next }) }
  for (const [name, t] of Object.entries(results))
    probe.check(allFinite(t), `${what}: ${name} must be finite`)
  // Weights that were chosen after a softmax over all of them do not sum to 1, and spikes may select nobody.
  const partial = select?.kind === 'spike' || (select?.kind === 'top-k' && select.softmax === 'before')
  if (!partial) probe.check(areWeights(rest.weights), `${what}: weights must sum to 1`)
  if (next) probe.check(areWeights(next), `${what}: next must sum to 1`)
  probe.check(inRange(rest.indices, config), `${what}: indices must name experts`)
}

async function checkExtremes(probe: Probe, config: GateConfig): Promise<void> {
  const gate = createGate(config)
  const params = gate.init({ seed: 651 })
  const route = await gate.route(probe.backend, params, extremeTokens, {
    ...extremeOptions(config),
    details: true,
  })
  checkDecision(probe, 'route', decisionOf(route), config)
  for (const t of [route.memory, route.prediction]) if (t) probe.check(allFinite(t), 'details must be finite')
  if (gate.causal) {
    const stream = await gate.stream(probe.backend, params, { batch: BATCH })
    try {
      for (let t = 0; t < STEPS; t++) {
        const step = await stream.step(stepOf(extremeTokens, t), extremeOptions(config))
        checkDecision(probe, `step ${t}`, decisionOf(step), config)
      }
    } finally {
      stream.dispose()
    }
  }
  await gate.release(probe.backend)
}

export const extremes = (): ProcedureCase[] =>
  Object.entries(CONFIGS).map(([name, config]) =>
    gateCase(`extreme-tokens/${name}`, 651, 'finite from whatever is finite, in both forms', (probe) =>
      checkExtremes(probe, config),
    ),
  )

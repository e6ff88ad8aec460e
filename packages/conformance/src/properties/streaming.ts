/** Streams, chunks and resets: any way to cut a sequence gives the numbers of the whole. */
import { gateStates, type Tensor, toHost, zeros } from '@fep-moe/core'
import { EXACT, type ProcedureCase } from '../frame/case.js'
import type { Probe } from '../frame/probe.js'
import { stepOf, stepsOf } from '../frame/steps.js'
import { flags } from '../fuzz/gates/scene.js'
import { compareDecisions, type Decisions, logitBound } from '../gates/agreement.js'
import { optionsAt } from '../gates/case.js'
import { propertyCase } from './property.js'
import { causalGates, type Drawn, precisionOfSteps, type Scene, sceneOf } from './scenes.js'

const RULE =
  'logits within 8 · T_eff · 2⁻²⁴ · max|logit|; the same experts wherever the margin exceeds twice that'

/** A part of a whole result. */
const partOf = (whole: Decisions, cut: (t: Tensor) => Tensor): Decisions => ({
  logits: cut(whole.logits),
  weights: cut(whole.weights),
  indices: cut(whole.indices),
  margin: cut(whole.margin),
  next: whole.next && cut(whole.next),
})

const rowsOf = ({ data }: Tensor): number[] => Array.from(data.keys()).filter((i) => data[i] !== 0)

const streamed = propertyCase<Drawn>({
  id: 'streaming-equals-sequence',
  seed: 611,
  note: `${RULE}; with resets of single rows, and a detour that a snapshot undoes at a random step`,
  things: causalGates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const reset = flags(drawn.seed + 3, [drawn.batch, drawn.steps])
    const whole = await gate.route(probe.backend, params, x, { ...precision, reset })
    const bound = logitBound(gate, params, drawn.steps, whole.logits)
    const stream = await gate.stream(probe.backend, params, { batch: drawn.batch })
    const detour = (drawn.at[0] as number) % drawn.steps
    try {
      for (let t = 0; t < drawn.steps; t++) {
        if (t === detour) {
          const state = await stream.snapshot()
          await stream.step(stepOf(x, (t + 1) % drawn.steps), optionsAt(precision, t))
          await stream.reset()
          stream.restore(state)
        }
        const rows = rowsOf(stepOf(reset, t))
        if (rows.length > 0) await stream.reset(rows)
        const got = await stream.step(stepOf(x, t), optionsAt(precision, t))
        await compareDecisions(
          probe,
          `step ${t}`,
          got,
          partOf(whole, (of) => stepOf(of, t)),
          bound,
        )
      }
    } finally {
      stream.dispose()
      await gate.release(probe.backend)
    }
  },
})

/** Runs the sequence form on one chunk, states in and out. */
async function runChunk(
  probe: Probe,
  { gate, params, precision }: Pick<Scene, 'gate' | 'params' | 'precision'>,
  x: Tensor,
  state: Readonly<Record<string, Tensor>>,
): Promise<{ readonly result: Decisions; readonly state: Readonly<Record<string, Tensor>> }> {
  await gate.ready()
  const program = await probe.backend.compile(gate.graph({ steps: x.shape[1] as number, state: true }))
  try {
    const feeds = { ...params, ...precision, x, ...state }
    const found: Record<string, Tensor> = {}
    for (const [name, t] of Object.entries(await program.run(feeds))) {
      found[name] = await toHost(t)
      t.dispose()
    }
    const next = Object.keys(state).map((name) => [name, probe.present(name, found[name])] as const)
    return { result: found as unknown as Decisions, state: Object.fromEntries(next) }
  } finally {
    program.dispose()
  }
}

/** Rising places to cut at, both ends included. */
function cutsOf({ at, steps }: Drawn): number[] {
  const inside = at.slice(0, 3).map((n) => 1 + (n % (steps - 1)))
  return [...new Set([0, ...inside, steps])].sort((a, b) => a - b)
}

const chunked = propertyCase<Drawn>({
  id: 'chunks-equal-sequence',
  seed: 612,
  note: RULE,
  things: causalGates,
  holds: async (probe, drawn) => {
    const scene = sceneOf(drawn)
    const { gate, params, x, precision } = scene
    const whole = await gate.route(probe.backend, params, x, precision)
    const bound = logitBound(gate, params, drawn.steps, whole.logits)
    let state: Readonly<Record<string, Tensor>> = Object.fromEntries(
      gateStates(gate.config).map(({ name, width }) => [`state/${name}`, zeros([drawn.batch, width])]),
    )
    const cuts = cutsOf(drawn)
    for (let k = 0; k + 1 < cuts.length; k++) {
      const [from, to] = [cuts[k] as number, cuts[k + 1] as number]
      const part = { ...scene, precision: precisionOfSteps(precision, from, to) }
      const chunk = await runChunk(probe, part, stepsOf(x, from, to), state)
      state = chunk.state
      const want = partOf(whole, (t) => stepsOf(t, from, to))
      await compareDecisions(probe, `steps ${from}..${to - 1}`, chunk.result, want, bound)
    }
    await gate.release(probe.backend)
  },
})

const resetting = propertyCase<Drawn>({
  id: 'a-reset-is-a-fresh-start',
  seed: 613,
  note: `two documents in one sequence, the second as if it stood alone: ${RULE}`,
  things: causalGates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const { batch, steps } = drawn
    const cut = 1 + ((drawn.at[0] as number) % (steps - 1))
    const data = new Uint8Array(batch * steps)
    for (let b = 0; b < batch; b++) data[b * steps + cut] = 1
    const reset: Tensor = { dtype: 'bool', shape: [batch, steps], data }
    const packed = await gate.route(probe.backend, params, x, { ...precision, reset })
    const bound = logitBound(gate, params, steps, packed.logits)
    for (const [from, to] of [
      [0, cut],
      [cut, steps],
    ] as const) {
      const options = precisionOfSteps(precision, from, to)
      const alone = await gate.route(probe.backend, params, stepsOf(x, from, to), options)
      const part = partOf(packed, (t) => stepsOf(t, from, to))
      await compareDecisions(probe, `document ${from}..${to - 1}`, part, alone, bound)
    }
    await gate.release(probe.backend)
  },
})

const restoring = propertyCase<Drawn>({
  id: 'a-snapshot-is-the-state',
  seed: 615,
  note: 'another stream that is given a snapshot goes on with the same bytes',
  things: causalGates,
  holds: async (probe, drawn) => {
    const { gate, params, x, precision } = sceneOf(drawn)
    const open = () => gate.stream(probe.backend, params, { batch: drawn.batch })
    const [first, second] = [await open(), await open()]
    const at = (drawn.at[0] as number) % (drawn.steps - 1)
    try {
      for (let t = 0; t <= at; t++) await first.step(stepOf(x, t), optionsAt(precision, t))
      second.restore(await first.snapshot())
      for (let t = at + 1; t < drawn.steps; t++) {
        const options = optionsAt(precision, t)
        const [a, b] = [await first.step(stepOf(x, t), options), await second.step(stepOf(x, t), options)]
        for (const name of ['logits', 'weights', 'indices', 'margin'] as const)
          await probe.compare(`${name} of step ${t}`, b[name], a[name], EXACT)
      }
    } finally {
      first.dispose()
      second.dispose()
      await gate.release(probe.backend)
    }
  },
})

/** See the file's header. */
export const streaming = (): ProcedureCase[] => [streamed, chunked, resetting, restoring]

/** What a vector-Jacobian product promises: it is linear in the cotangent. */
import { type Capabilities, type Gate, type Tensor, vjpGraph } from '@fep-moe/core'
import type { ProcedureCase } from '../frame/case.js'
import { noise } from '../frame/data.js'
import { type Bounded, boundsOf } from '../fuzz/bounds/evaluate.js'
import { type GateRecipe, gateRecipes } from '../fuzz/gates/recipe.js'
import { sceneOf } from '../fuzz/gates/scene.js'
import { propertyCase } from './property.js'
import { compareWithin } from './within.js'

/** Multiples of 1/8: sums and doubles of them are exact. */
const eighths = (seed: number, shape: readonly number[]): Tensor => {
  const t = noise(seed, shape, -8, 8)
  return { ...t, data: t.data.map((v) => Math.round(v) / 8) as Float32Array }
}

/** Bounds on the gradients of the logits, on the gate's own graph. */
function pullBounds(
  gate: Gate,
  feeds: Readonly<Record<string, Tensor>>,
  cotangent: Tensor,
  { batch, steps }: GateRecipe,
  accuracy: Capabilities['accuracy'],
): Record<string, Bounded> {
  const wrt = [...gate.params.map((p) => p.name), 'x']
  const graph = vjpGraph(gate.graph({ steps, details: true }), { of: ['logits'], wrt })
  return boundsOf(graph, { ...feeds, 'cotangent/logits': cotangent }, batch, accuracy).results
}

const linear = propertyCase<GateRecipe>({
  id: 'vjp-is-linear',
  seed: 625,
  runs: 12,
  note: 'twice the cotangent gives twice the gradient to the bit; a sum of cotangents the sum, within their rounding errors',
  things: gateRecipes,
  holds: async (probe, recipe) => {
    const { gate, params, x, precision } = sceneOf(recipe)
    const { outputs, vjp } = await gate.vjp(probe.backend, params, x, precision)
    const { shape } = probe.present('logits', outputs.logits)
    const [a, b] = [eighths(recipe.seed + 6, shape), eighths(recipe.seed + 7, shape)]
    const combined = (f: (i: number) => number): Tensor => ({
      ...a,
      data: a.data.map((_, i) => f(i)) as Float32Array,
    })
    const at = (t: Tensor, i: number) => t.data[i] as number
    const pull = (logits: Tensor) => vjp({ logits })
    const [fromA, fromB] = [await pull(a), await pull(b)]
    const twice = await pull(combined((i) => 2 * at(a, i)))
    const both = await pull(combined((i) => at(a, i) + at(b, i)))
    const { accuracy } = probe.backend.capabilities
    const bounds = (cotangent: Tensor) =>
      pullBounds(gate, { ...params, x, ...precision }, cotangent, recipe, accuracy)
    const [boundA, boundB, boundBoth] = [bounds(a), bounds(b), bounds(combined((i) => at(a, i) + at(b, i)))]
    for (const [name, t] of Object.entries(fromA)) {
      const doubled = { ...t, data: t.data.map((v) => 2 * v) as Float32Array }
      await probe.compare(`twice ${name}`, probe.present(name, twice[name]), doubled)
      const [eA, eB, eBoth] = [boundA, boundB, boundBoth].map(
        (of) => probe.present(name, of[`grad/${name}`]).error,
      )
      const sum = Float64Array.from(t.data, (v, i) => v + at(probe.present(name, fromB[name]), i))
      const error = sum.map((_, i) => (eA?.[i] as number) + (eB?.[i] as number) + (eBoth?.[i] as number))
      compareWithin(probe, `${name} of both`, probe.present(name, both[name]), { ...t, data: sum, error }, 1)
    }
    await gate.release(probe.backend)
  },
})

/** See the file's header. */
export const gradients = (): ProcedureCase[] => [linear]

/**
 * Reverse-mode differentiation on a builder: gradient nodes are appended after the nodes they differentiate, so that
 * forward values are shared. Gradients of a value that is used several times add up.
 */
import { FepError } from '../errors.js'
import type { BuilderNode, GraphBuilder, Value } from '../graph/builder.js'
import { Value as GraphValue } from '../graph/builder.js'
import { add, expand } from '../graph/expressions.js'
import type { PrimitiveAttrs, PrimitiveName } from '../ops/attrs.js'
import type { GradScope } from '../ops/definition.js'
import { isComposite, primitives } from '../ops/table.js'

/**
 * Sum over seeds of (∂ value / ∂ w)ᵀ · seed, for every w.
 * @param seeds pairs of a float32 value and the gradient that arrives at it (same shape)
 * @param wrt float32 values; one that nothing depends on gets zeros
 * @throws FEP_NO_GRADIENT for a discrete value or a composite node (build with `expandComposites`)
 */
export function differentiate(seeds: readonly (readonly [Value, Value])[], wrt: readonly Value[]): Value[] {
  for (const w of wrt)
    if (w.dtype !== 'float32')
      throw new FepError(
        'FEP_NO_GRADIENT',
        `a gradient was asked for a value of dtype ${w.dtype}; only float32 has one`,
      )
  const builder = (wrt[0] ?? seeds[0]?.[0])?.builder
  if (!builder) return []
  const count = builder.nodes.length
  const needed = reachable(builder, wrt, count)
  const gradient = new Map<Value, Value>()
  const arrive = (value: Value, g: Value | undefined) => {
    if (!g || !needed.has(value)) return
    const known = gradient.get(value)
    gradient.set(value, known ? add(known, g) : g)
  }
  for (const [value, seed] of seeds) arrive(value, seed)
  for (let i = count - 1; i >= 0; i--) {
    const node = builder.nodes[i] as BuilderNode
    const grads = node.outputs.map((v) => gradient.get(v))
    if (!node.inputs.some((v) => needed.has(v)) || grads.every((g) => g === undefined)) continue
    if (isComposite(node.op))
      throw new FepError(
        'FEP_NO_GRADIENT',
        `${node.op} is a composite node; build the graph with expandComposites to differentiate it`,
      )
    const partials = backward(builder, node, grads, needed)
    node.inputs.forEach((input, k) => arrive(input, partials[k]))
  }
  return wrt.map((w) => gradient.get(w) ?? expand(builder.constant(0), w.shape))
}

/** Float values that depend on one of `wrt` through operators that have gradients, among the first `count` nodes. */
function reachable(builder: GraphBuilder, wrt: readonly Value[], count: number): Set<Value> {
  const needed = new Set<Value>(wrt)
  for (let i = 0; i < count; i++) {
    const node = builder.nodes[i] as BuilderNode
    const flows = isComposite(node.op) || primitives[node.op].grad !== null
    if (flows && node.inputs.some((v) => needed.has(v)))
      for (const v of node.outputs) if (v.dtype === 'float32') needed.add(v)
  }
  return needed
}

function backward<O extends PrimitiveName>(
  builder: GraphBuilder,
  node: BuilderNode,
  grads: readonly (Value | undefined)[],
  needed: ReadonlySet<Value>,
): readonly (Value | undefined)[] {
  const rule = primitives[node.op as O].grad as
    | ((scope: GradScope<O>) => readonly (Value | undefined)[])
    | null
  if (!rule) return []
  return builder.scope('gradient', () =>
    rule({
      attrs: node.attrs as PrimitiveAttrs[O],
      inputs: node.inputs,
      outputs: [...node.outputs],
      grads,
      wants: node.inputs.map((v) => needed.has(v)),
      extend: (attrs, more) => {
        node.attrs = attrs
        const values = more.map((info) => new GraphValue(builder, info.dtype, info.shape, node))
        node.outputs.push(...values)
        return values
      },
    }),
  )
}

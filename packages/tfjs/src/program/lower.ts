/** A graph as a list of steps over slots. A slot is freed after its last reader, so memory follows the graph, not its length. */
import type { Graph, Node, OpName, PrimitiveName } from '@fep-moe/core'
import type { Device, Handle, Layout } from '../device/device.js'
import type { Body, Call, Execute, Lowering } from '../lowerings/lowering.js'
import { lowerings } from '../lowerings/table.js'
import type { Constants } from './constants.js'
import { swapsMerged } from './swaps.js'

interface Step {
  readonly execute: Execute
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Slots that nothing reads after this step. */
  readonly frees: readonly number[]
}

/**
 * Lowers a closed graph with numeric shapes. Results of a call belong to the caller, one owner each; operands stay the
 * caller's. @throws FEP_UNSUPPORTED_OP
 */
export function lowerGraph(graph: Graph, device: Device, constants: Constants): Body {
  const { nodes, swapped } = swapsMerged(graph, device)
  const slotOf = new Map<string, number>()
  const slot = (name: string): number => {
    const known = slotOf.get(name)
    if (known !== undefined) return known
    slotOf.set(name, slotOf.size)
    return slotOf.size - 1
  }
  graph.inputs.forEach(slot)
  const results = graph.outputs.map(({ value }) => value)
  const lastReader = new Map<string, Node>()
  for (const node of nodes) for (const name of node.inputs) lastReader.set(name, node)
  const exposed = new Set(results)
  const literals = new Map<number, Handle>()
  const steps: Step[] = []
  const borrowed = new Set(graph.inputs)
  for (const node of nodes) {
    if (node.op === 'Constant') {
      const name = node.outputs[0] as string
      const { dtype, shape, data } = node.attrs
      literals.set(slot(name), constants.get(dtype, shape, data))
      borrowed.add(name)
      continue
    }
    const own = [...new Set([...node.inputs, ...node.outputs])]
    const dead = own.filter(
      (name) => !exposed.has(name) && !borrowed.has(name) && (lastReader.get(name) ?? node) === node,
    )
    steps.push({
      execute: lowerNode(graph, node, swapped.get(node) ?? [], lastReader, exposed, device, constants),
      inputs: node.inputs.map(slot),
      outputs: node.outputs.map(slot),
      frees: dead.map(slot),
    })
  }
  const outputs = results.map((name) => ({ slot: slot(name), borrowed: borrowed.has(name) }))
  return (operands) => runSteps(device, steps, slotOf.size, literals, outputs, operands)
}

function lowerNode(
  graph: Graph,
  node: Node,
  swapped: readonly boolean[],
  readers: ReadonlyMap<string, Node>,
  exposed: ReadonlySet<string>,
  device: Device,
  constants: Constants,
): Execute {
  const layoutOf = (name: string) => graph.values[name] as Layout
  const call: Call<OpName> = {
    op: node.op,
    attrs: node.attrs,
    inputs: node.inputs.map(layoutOf),
    outputs: node.outputs.map(layoutOf),
    used: node.outputs.map((name) => readers.has(name) || exposed.has(name)),
    swapped,
    device,
    constant: (dtype, shape, data) => constants.get(dtype, shape, data),
    body: (inner) => lowerGraph(inner, device, constants),
  }
  return (lowerings[node.op as PrimitiveName] as unknown as Lowering<OpName>)(call)
}

function runSteps(
  device: Device,
  steps: readonly Step[],
  size: number,
  literals: ReadonlyMap<number, Handle>,
  outputs: readonly { readonly slot: number; readonly borrowed: boolean }[],
  operands: readonly Handle[],
): readonly Handle[] {
  const slots = new Array<Handle | undefined>(size)
  const owned = new Set<number>()
  operands.forEach((x, i) => {
    slots[i] = x
  })
  for (const [at, literal] of literals) slots[at] = literal
  const start = device.mark()
  try {
    for (const { execute, inputs, outputs: into, frees } of steps) {
      const mark = device.mark()
      const results = execute(inputs.map((i) => slots[i] as Handle))
      device.sweep(mark, results as readonly Handle[])
      into.forEach((at, i) => {
        if (results[i] === undefined) return
        slots[at] = results[i]
        owned.add(at)
      })
      for (const at of frees) {
        if (owned.delete(at)) device.release(slots[at] as Handle)
        slots[at] = undefined
      }
    }
    // What is borrowed, or stands under two names, gets an owner per name.
    const made: Handle[] = []
    for (const { slot: at, borrowed } of outputs) {
      const x = slots[at] as Handle
      made.push(borrowed || made.includes(x) ? device.reshape(x, x.shape) : x)
    }
    device.sweep(start, made)
    return made
  } catch (error) {
    device.sweep(start, [])
    for (const at of owned) device.release(slots[at] as Handle)
    throw error
  }
}

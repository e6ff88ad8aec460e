/** Emitters of recurrences: LinearScan in both forms, and Scan over random bodies. */
import { type Dim, type Graph, ops, type Shape, type Value } from '@fep-moe/core'
import { Assembly, isSmall, type Known, type Picks } from './assembly.js'
import { alongAxis, type Emitter, isKnown, withDim, withoutDim } from './emitter.js'
import type { Step } from './recipe.js'

/** Emits the instructions of a body; the table of emitters hands it in, because it holds this family, too. */
export type EmitBody = (assembly: Assembly, steps: Step['body'], rowWise: boolean) => void

/** Magnitude that states are held to, so that they may be taken as operands in every step. */
const STATE = 2

/** Some axes repeated: 1 instead of the dimension. */
const repeated = (picks: Picks, shape: Shape, axis: number, at: Dim): Shape =>
  shape.map((d, i) => (i === axis ? at : picks.once(2) ? 1 : d))

const linearScan: Emitter = (a, picks) => {
  const b = alongAxis(a, picks, 'float32', isKnown)
  const { shape } = b.value
  const steps = shape[b.axis] as number
  // Constant decays have a lowering of their own on most executors, where the axes after the scanned one repeat.
  const constant = picks.once(2)
  const decay = picks.once(2)
    ? shape.map((d, i): Dim => (i < b.axis ? d : 1))
    : repeated(picks, shape, b.axis, constant ? 1 : steps)
  const form = constant ? withDim(decay, b.axis, 1) : withDim(decay, b.axis, steps)
  const factor = picks.once(2)
    ? a.declare('float32', form, { kind: 'decay' }).value
    : ops.tanh(a.shaped(picks, 'float32', form).value)
  const h0 = picks.once(2)
    ? a.shaped(picks, 'float32', repeated(picks, shape, b.axis, 1)).value
    : (0 as const)
  const { h, last } = ops.linearScan(factor, b.value, h0, { axis: b.axis, reverse: picks.once(2) })
  const most = (steps + 1) * Math.max(b.most, 100)
  a.keep(last, most)
  a.keep(h, most)
}

/** What a body's shapes and promises are. */
interface Plan {
  readonly axis: number
  /** Shape of the states and of every slice. */
  readonly inner: Shape
  readonly rowWise: boolean
}

/** A random Scan: one or two states, one or two xs; inputs that the body asks for become constants. */
const scanWith =
  (emitBody: EmitBody): Emitter =>
  (a, picks, step) => {
    const first = alongAxis(a, picks, 'float32', isKnown)
    const { axis } = first
    const plan: Plan = { axis, inner: withoutDim(first.value.shape, axis), rowWise: picks.once(3) }
    const states = Array.from({ length: 1 + picks.below(2) }, () =>
      a.tamed(a.shaped(picks, 'float32', plan.inner), STATE),
    )
    const counts = !plan.rowWise && picks.once(3) ? [a.shaped(picks, 'int32', [])] : []
    const xs = [first, ...(picks.once(2) ? [a.shaped(picks, 'float32', first.value.shape)] : [])]
    const made = makeBody(a, plan, states.length, counts.length, xs, step, emitBody, picks)
    const consts = made.consts.map(({ dtype, shape, filling }) =>
      'limit' in filling ? a.declare(dtype, shape, filling) : a.tamed(a.shaped(picks, dtype, shape), STATE),
    )
    const values = (known: readonly Known[]): Value[] => known.map((k) => k.value)
    const { last, ys } = ops.scan(
      made.body,
      { init: values([...states, ...counts]), xs: values(xs), consts: values(consts) },
      { axis, reverse: picks.once(2), batchAxis: plan.rowWise && plan.inner.length > 0 ? 0 : null },
    )
    last.forEach((value, i) => a.keep(value, i < states.length ? STATE : 100))
    ys.forEach((value, i) => isSmall(value.shape) && a.keep(value, made.most[i] as number))
  }

function makeBody(
  outer: Assembly,
  { axis, inner, rowWise }: Plan,
  states: number,
  counts: number,
  xs: readonly Known[],
  step: Step,
  emitBody: EmitBody,
  picks: Picks,
): { body: Graph; most: number[]; consts: Assembly['inputs'] } {
  const a = new Assembly('body', outer.dims, outer.excluded)
  const { builder } = a
  const carried = Array.from({ length: states }, (_, i) => builder.input(`state${i}`, 'float32', inner))
  const counted = Array.from({ length: counts }, (_, i) => builder.input(`count${i}`, 'int32', []))
  const slices = xs.map((_, i) => builder.input(`x${i}`, 'float32', inner))
  carried.forEach((value) => a.keep(value, STATE))
  counted.forEach((value) => a.keep(value, 100))
  slices.forEach((value, i) => a.keep(value, (xs[i] as Known).most))
  // Something of every step reaches the states, whatever else the body does.
  a.keep(ops.add(ops.mul(carried[0] as Value, 0.5), slices[0] as Value), STATE + (xs[0] as Known).most)
  emitBody(a, step.body, rowWise)

  const own = a.pool.filter(({ value }) => value.node !== undefined).reverse()
  const fitting = own.filter(({ value }) => value.dtype === 'float32' && value.shape.join() === inner.join())
  carried.forEach((_, i) => {
    const next = fitting[i % fitting.length] as Known
    builder.output(
      `next${i}`,
      next.most <= STATE ? next.value : picks.once(2) ? ops.tanh(next.value) : a.tamed(next, STATE).value,
    )
  })
  counted.forEach((value, i) => builder.output(`count/next${i}`, ops.add(value, 1)))
  const shown = own.filter(({ value }) =>
    rowWise ? value.shape.join() === inner.join() : value.shape.length >= axis,
  )
  const ys = shown.slice(0, picks.below(3))
  ys.forEach(({ value }, i) => builder.output(`y${i}`, value))
  return { body: builder.build(), most: ys.map((y) => y.most), consts: a.inputs }
}

/** Emitters of the family. */
export const recurrencesWith = (emitBody: EmitBody) =>
  ({ LinearScan: linearScan, Scan: scanWith(emitBody) }) satisfies Readonly<Record<string, Emitter>>

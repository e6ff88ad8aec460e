/**
 * Long recurrences over few lanes: the decay product inside chunks, a short recurrence over the chunks' ends. Chunks
 * stand beside each other as columns, so that one product serves all of them: products of a few columns are slow.
 */
import { type Dim, mergeDims, type Shape } from '@fep-moe/core'
import type { GraphWriter } from '../emit/writer.js'
import { expandTo, reshapeTo } from '../lowerings/layout.js'
import { CHUNK_STEPS } from './choose.js'
import { decayMatrix, decayPowers, laneShape } from './decay.js'
import { type Recurrence, type Solution, withAxis } from './recurrence.js'

const range = (n: number) => Array.from({ length: n }, (_, i) => i)

/** How a sequence falls into chunks. */
interface Chunks {
  /** Axes before the scanned one. */
  readonly front: Shape
  readonly count: number
  /** Columns of one step, and of all chunks together. */
  readonly columns: Dim
  readonly all: Dim
}

/** @param solve lowers the recurrence over chunks, whatever its form */
export function asChunks(w: GraphWriter, r: Recurrence, solve: (r: Recurrence) => Solution): Solution {
  const { axis, bShape, reverse } = r
  const steps = bShape[axis] as number
  const count = Math.ceil(steps / CHUNK_STEPS)
  const excess = count * CHUNK_STEPS - steps
  const columns = mergeDims(bShape.slice(axis + 1))
  const chunks: Chunks = { front: bShape.slice(0, axis), count, columns, all: mergeDims([count, columns]) }
  const { front, all } = chunks

  // Padding stands where the recurrence has already left the sequence, so it changes nothing.
  const flat = reshapeTo(w, r.b, [...front, steps, columns])
  const padded = padSteps(w, flat, axis + 2, axis, reverse ? [excess, 0] : [0, excess])
  const rows = reshapeTo(w, padded, [...front, count, CHUNK_STEPS, columns])
  const side = reshapeTo(w, swap(w, rows, axis), [...front, CHUNK_STEPS, all])
  const local = w.op('MatMul', [decayMatrix(w, r, CHUNK_STEPS), side])

  const entering = carry(w, r, chunks, local, solve)
  // Step t of a chunk is t + 1 steps after the state that entered it (in reverse: as many before).
  const distances = range(CHUNK_STEPS).map((t) => (reverse ? CHUNK_STEPS - t : t + 1))
  const decays = w.once(`entering(${r.a},${reverse})`, () =>
    reshapeTo(w, decayPowers(w, r, CHUNK_STEPS, distances), [...laneShape(r), CHUNK_STEPS, 1]),
  )
  const h = w.op('Add', [local, w.op('Mul', [decays, entering])])
  const back = swap(w, reshapeTo(w, h, [...front, CHUNK_STEPS, count, columns]), axis)
  const joined = reshapeTo(w, back, [...front, count * CHUNK_STEPS, columns])
  const trimmed = sliceSteps(w, joined, axis, reverse ? [excess, excess + steps] : [0, steps], excess === 0)
  return { h: reshapeTo(w, trimmed, bShape, r.output) }
}

/** The state that enters each chunk, (front…, 1, all columns). */
function carry(
  w: GraphWriter,
  r: Recurrence,
  chunks: Chunks,
  local: string,
  solve: (r: Recurrence) => Solution,
): string {
  const { axis, bShape, reverse } = r
  const { front, count, columns, all } = chunks
  const lanes = laneShape(r)
  const at = reverse ? 0 : CHUNK_STEPS - 1
  const ends = reshapeTo(w, sliceSteps(w, local, axis, [at, at + 1]), [...front, count, columns])
  const over = w.once(`perChunk(${r.a})`, () =>
    w.op('Pow', [reshapeTo(w, r.a, [...lanes, 1, 1]), w.scalar(CHUNK_STEPS)]),
  )
  const start: Shape = [...front, 1, columns]
  const h0 = r.fromZero ? r.h0 : reshapeTo(w, expandTo(w, r.h0, withAxis(bShape, axis, 1)), start)
  const { h } = solve({
    a: over,
    aShape: [...lanes, 1, 1],
    b: ends,
    bShape: [...front, count, columns],
    h0,
    h0Shape: r.fromZero ? r.h0Shape : start,
    fromZero: r.fromZero,
    axis,
    reverse,
  })
  const kept = sliceSteps(w, h, axis, reverse ? [1, count] : [0, count - 1])
  const entering = r.fromZero
    ? padSteps(w, kept, axis + 2, axis, reverse ? [0, 1] : [1, 0])
    : w.op('Concat', reverse ? [kept, h0] : [h0, kept], { axis })
  return reshapeTo(w, entering, [...front, 1, all])
}

/** (front…, m, n, columns) → (front…, n, m, columns) */
function swap(w: GraphWriter, x: string, axis: number): string {
  return w.op('Transpose', [x], { perm: [...range(axis), axis + 1, axis, axis + 2] })
}

function sliceSteps(
  w: GraphWriter,
  x: string,
  axis: number,
  [start, end]: readonly [number, number],
  whole = false,
): string {
  if (whole) return x
  return w.op('Slice', [x, ...[start, end, axis].map((n) => w.constant('int64', [n]))])
}

function padSteps(
  w: GraphWriter,
  x: string,
  rank: number,
  axis: number,
  [before, after]: readonly [number, number],
): string {
  if (before + after === 0) return x
  const pads = new Array<number>(2 * rank).fill(0)
  pads[axis] = before
  pads[rank + axis] = after
  return w.op('Pad', [x, w.constant('int64', pads), w.scalar(0)])
}

/** Routes the tokens of a file: whole sequences at once, or token by token. */
import { type Backend, FepError, type Params, show, type Tensor, tensor } from '@fep-moe/core'
import type { SafetensorsFile } from '@fep-moe/core/safetensors'
import type { Router } from './router.js'

/** What a file of tokens may hold. */
export interface Tokens {
  /** (B,T,d) */
  readonly x: Tensor
  readonly precision?: Tensor
  /** bool (B,T) */
  readonly reset?: Tensor
}

const NAMES = ['x', 'precision', 'reset'] as const

/**
 * Reads tokens: `x` (B,T,d) or (T,d), and where the gate takes them `precision` and `reset`. The gate checks the rest.
 * @throws FEP_BAD_FILE where there is no `x`; FEP_BAD_FEED where it has another rank, or there is something else
 */
export async function readTokens(file: SafetensorsFile): Promise<Tokens> {
  const unknown = [...file.tensors.keys()].find((name) => !NAMES.some((known) => known === name))
  if (unknown !== undefined)
    throw new FepError('FEP_BAD_FEED', `${file.name} has ${show(unknown)}; accepted: ${NAMES.join(', ')}`)
  const x = await file.read('x')
  if (x.shape.length !== 2 && x.shape.length !== 3)
    throw new FepError(
      'FEP_BAD_FEED',
      `${file.name}: x has shape (${x.shape.join(', ')}); accepted: (batch, time, dim), or (time, dim)`,
    )
  return {
    x: x.shape.length === 3 ? x : { ...x, shape: [1, ...x.shape] },
    ...(file.tensors.has('precision') ? { precision: await file.read('precision') } : {}),
    ...(file.tensors.has('reset') ? { reset: await file.read('reset') } : {}),
  }
}

/** Results by name; the same, within rounding, whether a stream made them or not. */
export async function routeFile(
  { gate, backend, params }: { gate: Router; backend: Backend; params: Params },
  { x, precision, reset }: Tokens,
  stream: boolean,
): Promise<Record<string, Tensor>> {
  const options = { ...(precision ? { precision } : {}), ...(reset ? { reset } : {}) }
  if (!stream) {
    const { horizon: _, ...tensors } = await gate.route(backend, params, x, options)
    return tensors as Record<string, Tensor>
  }
  const [batch, steps, dim] = x.shape as [number, number, number]
  if (dim !== gate.dim)
    throw new FepError('FEP_BAD_FEED', `x has ${dim} features; the gate takes ${gate.dim}`)
  if (reset && (reset.dtype !== 'bool' || reset.shape.join() !== `${batch},${steps}`))
    throw new FepError(
      'FEP_BAD_FEED',
      `reset is ${reset.dtype}(${reset.shape.join(', ')}); expected bool(${batch}, ${steps})`,
    )
  if (batch === 0 || steps === 0)
    throw new FepError('FEP_BAD_FEED', `x is (${x.shape.join(', ')}); a stream needs a sequence and a token`)
  const running = await gate.stream(backend, params, batch)
  try {
    const results: Record<string, Tensor>[] = []
    for (let t = 0; t < steps; t++) {
      const starts = reset ? rowsWhere((row) => reset.data[row * steps + t] === 1, batch) : []
      if (starts.length > 0) await running.reset(starts)
      // Π of all tokens is (E); one for each is (B,T,E).
      const pi = precision?.shape.length === 3 ? stepOf(precision, t) : precision
      // The load of a step is that of all its rows: no tensor with a row for each.
      const { horizon: _, load: __, ...step } = await running.step(stepOf(x, t), pi ? { precision: pi } : {})
      results.push(step as Record<string, Tensor>)
    }
    const names = Object.keys(results[0] as Record<string, Tensor>)
    return Object.fromEntries(names.map((name) => [name, stack(results.map((step) => step[name] as Tensor))]))
  } finally {
    running.dispose()
  }
}

const rowsWhere = (is: (row: number) => boolean, batch: number): number[] =>
  Array.from({ length: batch }, (_, row) => row).filter(is)

/** Step t of (B,T,…). */
function stepOf(t: Tensor, step: number): Tensor {
  const [batch, steps, ...rest] = t.shape as [number, number, ...number[]]
  const width = t.data.length / (batch * steps)
  const data = new (t.data.constructor as Float32ArrayConstructor)(batch * width)
  for (let b = 0; b < batch; b++) {
    const from = (b * steps + step) * width
    data.set(t.data.subarray(from, from + width) as Float32Array, b * width)
  }
  return tensor(data, [batch, ...rest], t.dtype)
}

/** Tensors (B,…) as (B,T,…). */
function stack(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor]
  const [batch, ...rest] = first.shape as [number, ...number[]]
  const width = first.data.length / batch
  const data = new (first.data.constructor as Float32ArrayConstructor)(first.data.length * parts.length)
  parts.forEach((part, t) => {
    for (let b = 0; b < batch; b++)
      data.set(part.data.subarray(b * width, (b + 1) * width) as Float32Array, (b * parts.length + t) * width)
  })
  return tensor(data, [batch, parts.length, ...rest], first.dtype)
}

/**
 * A graph that is being put together. Instructions choose operands from what is there; where nothing fits, a new input
 * is declared, so that every instruction finds what it needs.
 */
import {
  broadcastShapes,
  type Dim,
  type DType,
  GraphBuilder,
  type OpName,
  ops,
  type Shape,
  sizeOf,
  type Value,
} from '@fep-moe/core'
import { FEED_MAGNITUDE, type Filling, type Input } from './feeds.js'

/** A value, and a number that no element of it exceeds in magnitude. */
export interface Known {
  readonly value: Value
  readonly most: number
}

/** Most elements of one value, at the largest batch. */
const MOST_ELEMENTS = 200
const LARGEST_BATCH = 3
/** Results beyond this are scaled down before they are used again: sums of products must not leave float32's range. */
const TAME = 100

/** The numbers of one instruction, one after another. */
export class Picks {
  private at = 0

  constructor(private readonly numbers: readonly number[]) {}

  /** 0 … n − 1. */
  below(n: number): number {
    return (this.numbers[this.at++ % this.numbers.length] as number) % n
  }

  /** One of a list. */
  from<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** True once in `n`. */
  once(n: number): boolean {
    return this.below(n) === n - 1
  }
}

/** See the file's header. */
export class Assembly {
  readonly builder: GraphBuilder
  readonly pool: Known[] = []
  readonly inputs: Input[] = []

  constructor(
    name: string,
    readonly dims: readonly number[],
    /** Operators that the executor does not have. */
    readonly excluded: ReadonlySet<OpName>,
  ) {
    this.builder = new GraphBuilder(name)
  }

  /** Whether some input says what `batch` is: only then may a result be repeated for it. */
  get knowsBatch(): boolean {
    return this.builder.inputs.some(({ value }) => value.shape.some((d) => typeof d === 'string'))
  }

  /** Keeps a result for later instructions. */
  keep(value: Value, most: number): void {
    this.pool.push({ value, most })
  }

  /** Declares an input. */
  declare(dtype: DType, shape: Shape, filling: Filling): Known {
    const name = `${filling.kind}${this.inputs.length}`
    this.inputs.push({ name, dtype, shape, filling })
    const known = {
      value: this.builder.input(name, dtype, shape),
      most: dtype === 'float32' ? FEED_MAGNITUDE : 4,
    }
    // Indices and bounds of groups are only good for what they were made for.
    if (!('limit' in filling)) this.pool.push(known)
    return known
  }

  /** An operand that fits: something that is there, the latest first, or (always where nothing is there) a new input. */
  operand(picks: Picks, dtype: DType, fits: (shape: Shape) => boolean, shape: () => Shape): Known {
    const found = this.pool.filter(({ value }) => value.dtype === dtype && fits(value.shape)).reverse()
    const choice = picks.below(720)
    if (found.length > 0 && choice % 6 !== 5)
      return this.tamed(found[Math.floor(choice / 6) % found.length] as Known)
    const filling: Filling =
      dtype === 'float32'
        ? { kind: choice % 4 === 3 ? 'grid' : 'noise' }
        : { kind: dtype === 'int32' ? 'integers' : 'flags' }
    return this.declare(dtype, shape(), filling)
  }

  /** Any operand of a dtype. */
  any(picks: Picks, dtype: DType, least = 0): Known {
    return this.operand(
      picks,
      dtype,
      (shape) => shape.length >= least,
      () => this.shape(picks, least),
    )
  }

  /** An operand of exactly this shape. */
  shaped(picks: Picks, dtype: DType, shape: Shape): Known {
    const key = shape.join()
    return this.operand(
      picks,
      dtype,
      (other) => other.join() === key,
      () => shape,
    )
  }

  /** An operand that broadcasts against a shape; the result stays small. */
  beside(picks: Picks, dtype: DType, shape: Shape): Known {
    return this.operand(
      picks,
      dtype,
      (other) => meets(shape, other),
      () => {
        const from = picks.below(shape.length + 1)
        return shape.slice(from).map((d) => (picks.once(3) ? 1 : d))
      },
    )
  }

  /** A shape of at least a rank. */
  shape(picks: Picks, least = 0): Shape {
    const rank = Math.max(least, picks.below(4))
    const shape: Dim[] = []
    for (let i = 0; i < rank; i++) {
      const choice = picks.below(12)
      const dim = choice < 9 ? (this.dims[choice % this.dims.length] as number) : choice === 9 ? 1 : 'batch'
      shape.push(dim === 'batch' && shape.includes('batch') ? 1 : dim)
    }
    return isSmall(shape) ? shape : shape.map((d) => (d === 'batch' ? d : Math.min(d as number, 2)))
  }

  /** The same value, scaled down where its elements may be large; integers are cut off instead. */
  tamed(known: Known, limit = TAME): Known {
    const { value, most } = known
    if (most <= limit) return known
    if (value.dtype === 'int32') return { value: ops.max(ops.min(value, limit), -limit), most: limit }
    if (value.dtype !== 'float32') return known
    const bounded = Number.isFinite(most) ? ops.mul(value, limit / most) : ops.clip(value, -limit, limit)
    return { value: bounded, most: limit }
  }
}

/** Few enough elements. */
export function isSmall(shape: Shape): boolean {
  const { factor, power } = sizeOf(shape)
  return factor * LARGEST_BATCH ** power <= MOST_ELEMENTS
}

/** Whether shapes broadcast to something small. */
export function meets(...shapes: Shape[]): boolean {
  const rank = Math.max(...shapes.map((s) => s.length))
  for (let i = 1; i <= rank; i++) {
    const dims = new Set(shapes.map((s) => s[s.length - i] ?? 1).filter((d) => d !== 1))
    if (dims.size > 1) return false
  }
  return isSmall(broadcastShapes(...shapes))
}

/** A node while it is being written in our operators: attributes with ONNX's defaults, operands as values or numbers. */
import type { DType, GraphBuilder, Tensor, Value } from '@fep-moe/core'
import type { Attribute, OfficialBody, OfficialNode, OpenTensor } from './vector.js'

/** Why a vector is not a case. The message is the reason that the coverage lists. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/** @throws Refusal */
export function refuse(reason: string): never {
  throw new Refusal(reason)
}

/** An operand: a value of the graph, and its elements where they are known while the graph is built. */
export interface Operand {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Declares a feed on first use: an operand that is only read as numbers is no feed. */
  value(): Value
  readonly tensor?: Tensor
}

/** See the file's header. */
export class Call {
  constructor(
    readonly builder: GraphBuilder,
    readonly node: OfficialNode,
    readonly opset: number,
    private readonly operands: readonly (Operand | undefined)[],
    private readonly open: OpenTensor,
    /** Emits a node of a body. */
    readonly emit: (
      builder: GraphBuilder,
      node: OfficialNode,
      operands: readonly Operand[],
    ) => readonly (Value | undefined)[],
  ) {}

  /** Number of operands, those left out in between included. */
  get count(): number {
    return this.operands.length
  }

  /** True where the operand is there. */
  has(i: number): boolean {
    return this.operands[i] !== undefined
  }

  /** An operand as a value. */
  value(i: number): Value {
    return this.operand(i).value()
  }

  /** All operands as values. */
  values(): Value[] {
    return this.operands.map((_, i) => this.value(i))
  }

  /** dtype and shape of an operand, without making it a feed. */
  info(i: number): { readonly dtype: DType; readonly shape: readonly number[] } {
    return this.operand(i)
  }

  /** The numbers of an operand that our operator takes as an attribute. @throws Refusal where a graph computes it */
  numbers(i: number): readonly number[] {
    const { tensor } = this.operand(i)
    return tensor ? Array.from(tensor.data) : refuse('an attribute of ours that the graph computes')
  }

  /** A number attribute. */
  number(name: string, missing: number): number {
    const found = this.node.attrs[name]
    return typeof found === 'number' ? found : missing
  }

  /** A list attribute. */
  list(name: string): readonly number[] | undefined {
    const found = this.node.attrs[name]
    return Array.isArray(found) ? (found as readonly number[]) : undefined
  }

  /** A string attribute. */
  text(name: string, missing: string): string {
    const found = this.node.attrs[name]
    return typeof found === 'string' ? found : missing
  }

  /** A tensor attribute. */
  tensor(name: string): Tensor | undefined {
    const found = this.node.attrs[name] as Exclude<Attribute, number | string> | undefined
    return found && 'tensor' in found ? this.open(found.tensor) : undefined
  }

  /** The body of a Scan. */
  body(name: string): OfficialBody {
    const found = this.node.attrs[name] as Exclude<Attribute, number | string> | undefined
    return found && 'body' in found ? found.body : refuse('no body')
  }

  /** @throws Refusal where the operand is left out */
  operand(i: number): Operand {
    return this.operands[i] ?? refuse(`operand ${i} left out`)
  }
}

/** Writes a node in our operators: its outputs in order; undefined where one is left out. */
export type Translation = (call: Call) => readonly (Value | undefined)[]

/** Translations by ONNX's name. */
export type Translations = Readonly<Record<string, Translation>>

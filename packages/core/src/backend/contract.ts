/**
 * What a backend is. A backend lowers and runs graphs; it never validates feeds, serializes runs or expands composites:
 * `defineBackend` does that once for all of them.
 */
import type { DType, Graph } from '../graph/types.js'
import type { CompositeName, OpName } from '../ops/attrs.js'
import type { Tensor, TensorData } from '../tensor.js'

/** A tensor that may live on a device. Reading copies it to the host where it is not there already. */
export interface DeviceTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** The elements, row-major. */
  read(): Promise<TensorData>
  /** The elements without waiting; only where `capabilities.hostTensors` holds. */
  readSync?(): TensorData
  /** Frees device memory; reading later is an error. Host-resident tensors may ignore it. */
  dispose(): void
}

/** A host tensor, a tensor that a run of the same backend returned, or a preallocated host tensor. */
export type Feed = Tensor | DeviceTensor
/** Feeds by input name. */
export type Feeds = Readonly<Record<string, Feed>>
/** Results by output name. */
export type Fetches = Readonly<Record<string, DeviceTensor>>
/** Preallocated host results by output name. */
export type HostFetches = Readonly<Record<string, Tensor>>

/** Worst-case error an executor declares for an operator, relative to the correctly rounded result. */
export interface Accuracy {
  /** In units of the last place of the result. */
  readonly ulp?: number
  /** Absolute. */
  readonly absolute?: number
  /** Where the figure comes from. */
  readonly source: string
}

/**
 * How an executor treats NaN and ±infinity.
 * - `ieee`: they follow IEEE 754 through every operator, as in the reference: NaN spreads through arithmetic, Max, Min,
 *   reductions and products; comparisons with NaN are false; selection (Where, Gather, Slice, …) moves them untouched.
 *   Two results stay open: NaN has no order, so where a row holds one, `TopK` and `ArgMax` may choose any elements of
 *   that row; and what a `Cast` to int32 makes of a number that int32 cannot hold.
 * - `undefined`: an element computed from a NaN or an infinity may be anything (WGSL lets compilers assume that there are none).
 *
 * Under either, an element that does not depend on a non-finite one is what it would be without it, and an index that
 * `TopK` or `ArgMax` returns lies in its row. Gates need neither: they are finite by construction.
 */
export interface NonFinite {
  readonly policy: 'ieee' | 'undefined'
  /**
   * Operators that depart from the policy, and how, in a phrase. What they make of a non-finite operand is undefined: the
   * elements that depend on it, and for a recurrence or a running sum its whole lane along the axis (a product with a
   * triangular matrix takes 0 · NaN back in time). Other lanes stay right.
   */
  readonly except: Readonly<Partial<Record<OpName, string>>>
}

/** What a backend can do, as plain data. */
export interface Capabilities {
  readonly dtypes: readonly DType[]
  /** Composites it runs natively; the rest reach it expanded. */
  readonly composites: readonly CompositeName[]
  /** Primitives it refuses (`compile` rejects with FEP_UNSUPPORTED_OP). */
  readonly unsupported: readonly OpName[]
  /** `runInto` of every program returns without a promise. */
  readonly sync: boolean
  /** Results are in host memory: `readSync` exists. */
  readonly hostTensors: boolean
  /** One program serves every batch size; false: it is compiled per size. */
  readonly symbolicBatch: boolean
  /** What executes: a processor, a graphics card, a software rasterizer. */
  readonly device: 'cpu' | 'gpu' | 'software-gpu'
  /** The graphics adapter, as its driver calls it; where there is one that says. */
  readonly adapter?: string
  /** Arithmetic of the executor. */
  readonly precision: 'float32' | 'float64'
  /** Declared error per operator beyond rounding; empty for executors that round correctly to their precision. */
  readonly accuracy: Readonly<Partial<Record<OpName, Accuracy>>>
  /** What NaN and infinity do here. */
  readonly nonFinite: NonFinite
}

/** What a program was compiled to, for people and for snapshot tests. */
export interface Artifact {
  /** `onnx`, `wgsl`, `javascript`, … */
  readonly format: string
  /** Bytes or text. */
  readonly data: Uint8Array | string
}

/** A compiled graph. */
export interface Program {
  readonly graph: Graph
  /** `runInto` returns without a promise. True for every program of a backend whose `capabilities.sync` holds. */
  readonly sync: boolean
  readonly artifact?: Artifact
  /**
   * Runs once. Runs of one program are serialized in call order.
   * @throws FEP_BAD_FEED (a feed is missing, unknown, or has another dtype or shape), FEP_DISPOSED, FEP_BACKEND_FAILED
   */
  run(feeds: Feeds): Promise<Fetches>
  /**
   * Runs once and writes into preallocated host tensors (all outputs, or some of them). Synchronous where
   * `sync`. @throws as `run`, and FEP_BUSY where a run is under way.
   */
  runInto(feeds: Feeds, out: HostFetches): void | Promise<void>
  /** Frees what the program holds. Idempotent. */
  dispose(): void
  /** Disposes, for `using`. */
  [Symbol.dispose](): void
}

/** An executor of graphs. */
export interface Backend {
  readonly name: string
  /** Version of this contract. */
  readonly specVersion: 1
  readonly capabilities: Capabilities
  /** @throws FEP_UNSUPPORTED_OP, FEP_BAD_GRAPH, FEP_DISPOSED, FEP_BACKEND_FAILED, before anything is dispatched */
  compile(graph: Graph): Promise<Program>
  /** Frees the runtime and every program. Idempotent. */
  dispose(): Promise<void>
  /** Disposes, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The part a backend author writes: feeds arrive validated, one run at a time, composites expanded. */
export interface ProgramImplementation {
  readonly artifact?: Artifact
  /** Runs once. A result must not share memory with a feed or with the result of another run. */
  run(feeds: Feeds): Fetches | Promise<Fetches>
  /** Optional; default: `run`, then copy. */
  runInto?(feeds: Feeds, out: HostFetches): void | Promise<void>
  /** Frees what the program holds; called once. */
  dispose(): void
}

/** See {@link ProgramImplementation}. */
export interface BackendImplementation {
  readonly name: string
  readonly capabilities: Capabilities
  /** `graph` is verified and holds primitives and claimed composites only; symbolic where `symbolicBatch`, else bound. */
  compile(graph: Graph): ProgramImplementation | Promise<ProgramImplementation>
  /** Frees the runtime; called once, after every program is disposed. */
  dispose(): void | Promise<void>
}

/** Makes a backend in another process or from a command line: `import(module).createBackend(options)`. */
export interface BackendSpecifier {
  readonly module: string
  readonly options?: Readonly<Record<string, unknown>>
}

/** What a backend's module exports besides its own factory. */
export interface BackendModule {
  /** Makes the backend; the options are those of a {@link BackendSpecifier}, JSON. */
  createBackend(options?: Readonly<Record<string, unknown>>): Promise<Backend>
}

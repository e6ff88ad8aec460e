/**
 * Every error fep-moe throws on purpose. Match on {@link FepError.code}, never on the message: codes are stable,
 * messages are for people and may improve in any release.
 */

/** Stable error codes. A code never changes its meaning; new ones may be added in a minor release. */
export type FepErrorCode =
  /** A function argument is out of its documented range. */
  | 'FEP_BAD_ARGUMENT'
  /** A gate, task or trainer configuration is invalid; the message names the path of the field. */
  | 'FEP_BAD_CONFIG'
  /** A feed is missing, unknown, of the wrong dtype, of the wrong shape or of the wrong length. */
  | 'FEP_BAD_FEED'
  /** Operand types or shapes break an operator's shape rule, or a graph breaks an invariant. */
  | 'FEP_BAD_GRAPH'
  /** So few tokens (padding not counted) that a policy's experts have nothing to choose: fewer than its expansion. */
  | 'FEP_TOO_FEW_TOKENS'
  /** Parameters are missing, unknown, or of the wrong shape. */
  | 'FEP_BAD_PARAMS'
  /** A value was asked to be differentiated through something that has no gradient. */
  | 'FEP_NO_GRADIENT'
  /** A backend cannot run this operator, dtype or attribute. Thrown by `compile`, before any dispatch. */
  | 'FEP_UNSUPPORTED_OP'
  /** The gate cannot do what was asked: streaming an oracle, `next` without anticipation, and the like. */
  | 'FEP_UNSUPPORTED'
  /** A backend, program, stream or trainer was used after it was disposed. */
  | 'FEP_DISPOSED'
  /** A synchronous run was started while another run of the same program was still going on. */
  | 'FEP_BUSY'
  /** The runtime a backend needs is not installed or does not load here; the message has the install line. */
  | 'FEP_BACKEND_MISSING'
  /** The runtime under a backend failed; see `cause`. */
  | 'FEP_BACKEND_FAILED'
  /** A graphics device is lost, and with it every tensor on it; programs that can run again on a new one do. */
  | 'FEP_DEVICE_LOST'
  /** A file is corrupt, truncated, of another format, or holds what no such file may hold. */
  | 'FEP_BAD_FILE'
  /** A command-line flag or argument is wrong. */
  | 'FEP_USAGE'
  /** A file or folder cannot be read or written. */
  | 'FEP_IO'
  /** An error that nobody threw on purpose: a bug in fep-moe. Printed by the command line. */
  | 'FEP_INTERNAL'
  /** The conformance suite itself is misused: an unknown case id, a lane that ran nothing. */
  | 'FEP_CONFORMANCE'

/** The one error class of fep-moe. */
export class FepError extends Error {
  override readonly name = 'FepError'
  /** Stable code; see {@link FepErrorCode}. */
  readonly code: FepErrorCode

  constructor(code: FepErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Shows a user's value in an error message: short, quoted, never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value)
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${(value as Uint8Array).length})`
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  try {
    const text = JSON.stringify(value) ?? String(value)
    return text.length > 80 ? `${text.slice(0, 77)}...` : text
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/** What a test may ask of the conformance page: plain data in, plain data out. */
import type { CaseResult, ExpectedFailure } from '@fep-moe/conformance'
import type { Backend } from '@fep-moe/core'

/** A backend without its functions. */
export type BackendDescription = Pick<Backend, 'name' | 'specVersion' | 'capabilities'>

/** `window.conformance`. */
export interface ConformanceApi {
  /** Opens an executor; the one that was open is disposed. @throws FEP_BAD_ARGUMENT, FEP_BACKEND_MISSING */
  open(executor: string): Promise<BackendDescription>
  /** Runs one case of the suite on it. @throws FEP_CONFORMANCE for an unknown id, or where nothing is open */
  run(id: string, expected?: ExpectedFailure): Promise<CaseResult>
  /** Disposes it. */
  close(): Promise<void>
}

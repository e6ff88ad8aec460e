import { FepError } from '../errors.js'

/** An error of the file system under this project's code. */
export const ioError = (what: string, path: string, cause: unknown): FepError => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FepError('FEP_IO', `cannot ${what} ${path}: ${why}`, { cause })
}

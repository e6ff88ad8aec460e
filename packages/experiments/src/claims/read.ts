/** Reads the claims that come with this package. Node only. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FepError } from '@fep-moe/core'
import { type ClaimFile, parseClaims } from './claim.js'

/** Folder of the claims in this package. */
const own = fileURLToPath(new URL('../../claims', import.meta.url))

/**
 * All files of claims in a folder, by name.
 * @param folder default: the published claims of this package
 * @throws FEP_IO where it cannot be read, FEP_BAD_ARGUMENT naming file and field
 */
export function readClaims(folder: string = own): ClaimFile[] {
  const files = attempt(folder, () => readdirSync(folder)).filter((name) => name.endsWith('.json'))
  return files.sort().map((name) => {
    const path = join(folder, name)
    const text = attempt(path, () => readFileSync(path, 'utf8'))
    try {
      return parseClaims(JSON.parse(text), name)
    } catch (error) {
      if (error instanceof FepError) throw error
      throw new FepError('FEP_BAD_ARGUMENT', `${path} is no JSON: ${(error as Error).message}`, {
        cause: error,
      })
    }
  })
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new FepError('FEP_IO', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

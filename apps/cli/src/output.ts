/** The output folder: proven writable before any work, and never with half a file in it. */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { FepError } from '@fep-moe/core'

/** A folder that was there or could be made, and could be written. */
export interface OutputFolder {
  /** Writes a file aside and renames it. @returns its absolute path @throws FEP_IO */
  write(name: string, text: string): string
  /** Removes the folders that were made for nothing. */
  discard(): void
}

const refuse = (path: string, cause: unknown, flag: string): never => {
  const why = cause instanceof Error ? cause.message : String(cause)
  throw new FepError('FEP_IO', `cannot write to ${path}: ${why}; choose another folder with ${flag}`, {
    cause,
  })
}

/**
 * Makes the folder where it is missing, and tries a file in it.
 * @param files that will be written: none of them may be a folder
 * @param flag that chooses the folder
 * @throws FEP_IO
 */
export function openOutput(folder: string, files: readonly string[], flag = '--out'): OutputFolder {
  const path = resolve(folder)
  const made: string[] = []
  const discard = () => {
    try {
      for (const folder of made.reverse()) rmdirSync(folder)
    } catch {
      // Somebody else has put something there.
    }
  }
  const aside = (name: string) => join(path, `.${name}.${process.pid}.tmp`)
  try {
    for (const missing of missingFolders(path)) if (makeFolder(missing)) made.push(missing)
    const probe = aside('probe')
    writeFileSync(probe, '')
    rmSync(probe)
    for (const file of files)
      if (statSync(join(path, file), { throwIfNoEntry: false })?.isDirectory())
        throw new Error(`${file} is a folder there`)
  } catch (error) {
    discard()
    refuse(path, error, flag)
  }
  return {
    write: (name, text) => {
      const target = join(path, name)
      try {
        writeFileSync(aside(name), text)
        renameSync(aside(name), target)
      } catch (error) {
        rmSync(aside(name), { force: true })
        refuse(path, error, flag)
      }
      return target
    },
    discard,
  }
}

/**
 * The folders to make for a path, outermost first. Not `mkdir` with `recursive`: that leaves what it made before it
 * failed, and in Node 20 it never returns where a file system answers ENOENT, as /proc does.
 */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at)
  return missing
}

/** @returns false where another process was faster */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './setup.mjs'

/** Becomes the command line: in this process, so that standard streams, signals and exit codes are its own. */
export async function command(args) {
  const file = join(root, 'apps/cli/dist/bin.js')
  process.argv = [process.argv[0], file, ...args]
  await import(pathToFileURL(file).href)
}

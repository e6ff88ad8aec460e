/** Files of `fep-moe gate`: configurations, weights, tokens. */
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { createGate, FepError, type Gate, type GateConfig, show, type Tensor } from '@fep-moe/core'
import { openFile, writeFileDurably } from '@fep-moe/core/node'
import { openSafetensors, type SafetensorsFile, writeSafetensors } from '@fep-moe/core/safetensors'
import { openOutput } from '../output.js'
import { createRouter, type Router } from './router.js'

/** A configuration is a page of JSON, with a list of decays at most. */
const LARGEST_CONFIG = 2 ** 20

/** Reads a gate's configuration. @throws FEP_IO, FEP_BAD_FILE where it is no JSON, FEP_BAD_CONFIG */
export const readGate = async (path: string): Promise<Gate> =>
  createGate((await readJson(path)) as GateConfig)

/** The same, where it may have a policy. @throws FEP_IO, FEP_BAD_FILE where it is no JSON, FEP_BAD_CONFIG */
export const readRouter = async (path: string): Promise<Router> =>
  createRouter((await readJson(path)) as GateConfig)

async function readJson(path: string): Promise<unknown> {
  const source = await openFile(path)
  try {
    if (source.size > LARGEST_CONFIG)
      throw new FepError(
        'FEP_BAD_FILE',
        `${path} has ${source.size} bytes; accepted: up to ${LARGEST_CONFIG}`,
      )
    const text = new TextDecoder().decode(await source.read(0, source.size))
    return parseJson(text, path)
  } finally {
    await source.close()
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FepError('FEP_BAD_FILE', `${path} is no JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** Opens a safetensors file for as long as `use` takes. @throws FEP_IO, FEP_BAD_FILE */
export async function withSafetensors<T>(
  path: string,
  use: (file: SafetensorsFile) => Promise<T>,
): Promise<T> {
  const source = await openFile(path)
  try {
    return await use(await openSafetensors(source, { name: path }))
  } finally {
    await source.close()
  }
}

/** A file that will be written once there is something to write. */
export interface OutputFile {
  /** @returns the absolute path @throws FEP_IO */
  write(
    content: Readonly<Record<string, Tensor>> | string,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<string>
  /** Removes folders that were made for nothing. */
  discard(): void
}

/**
 * Proves that a file can be written, before any work.
 * @param inputs files that it must not be
 * @throws FEP_IO, FEP_USAGE
 */
export function openOutputFile(
  path: string,
  flag: string,
  inputs: Readonly<Record<string, string>>,
): OutputFile {
  const target = resolve(path)
  for (const [name, input] of Object.entries(inputs))
    if (existsSync(target) && existsSync(input) && realpathSync(target) === realpathSync(input))
      throw new FepError(
        'FEP_USAGE',
        `${flag} is ${show(path)}, which ${name} is too; accepted: another file`,
      )
  const folder = openOutput(dirname(target), [basename(target)], flag)
  return {
    write: async (content, metadata) => {
      const bytes =
        typeof content === 'string'
          ? content
          : writeSafetensors(content, metadata ? { metadata: { format: 'pt', ...metadata } } : {})
      await writeFileDurably(target, bytes)
      return target
    },
    discard: folder.discard,
  }
}

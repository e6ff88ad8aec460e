/** A file as a source of bytes: only the parts that are asked for are read. */
import { type FileHandle, open } from 'node:fs/promises'
import type { ByteSource } from '../safetensors/read.js'
import { ioError } from './refuse.js'

/** An open file. */
export interface OpenFile extends ByteSource {
  /** Closes the file. Idempotent. */
  close(): Promise<void>
  /** Closes the file, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a file for `openSafetensors`.
 * @throws FEP_IO where it cannot be opened or is no file
 * @example
 * const source = await openFile('model.safetensors')
 * const file = await openSafetensors(source, { name: 'model.safetensors' })
 */
export async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw ioError('read', path, error)
  })
  const close = () => handle.close()
  try {
    const stat = await handle.stat()
    // Devices and pipes have no size, and a read of them may never end.
    if (!stat.isFile()) throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is no regular file')
    return { size: stat.size, read: partOf(handle, path), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw ioError('read', path, error)
  }
}

const partOf =
  (handle: FileHandle, path: string): ByteSource['read'] =>
  async (start, end) => {
    const bytes = new Uint8Array(end - start)
    let at = 0
    try {
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0) break
        at += bytesRead
      }
    } catch (error) {
      throw ioError('read', path, error)
    }
    return bytes.subarray(0, at)
  }

/** Files that are whole or not there, whenever the process or the machine stops. */
import { open, readdir, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { ioError } from './refuse.js'

/**
 * Writes a file aside, has it reach the disk, and renames it into place: a reader sees the old file or the new one, and
 * after a crash one of them is there. What writers that were killed have left aside is removed.
 * @throws FEP_IO
 * @example
 * await writeFileDurably('checkpoint.safetensors', encodeCheckpoint({ trainer: await trainer.checkpoint() }))
 */
export async function writeFileDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const target = resolve(path)
  const folder = dirname(target)
  // The machine's name is in it, because another machine's processes cannot be asked whether they live.
  const family = `.${basename(target)}.${hostname()}.`
  const aside = join(folder, `${family}${process.pid}.${++written}.tmp`)
  try {
    await removeAbandoned(folder, family)
    const file = await open(aside, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, target)
    await syncFolder(folder)
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined)
    throw ioError('write', path, error)
  }
}

/** Several writes of one process to one file do not meet. */
let written = 0

async function removeAbandoned(folder: string, family: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(family) || !name.endsWith('.tmp')) continue
    const pid = Number.parseInt(name.slice(family.length), 10)
    if (pid > 0 && !isAlive(pid)) await rm(join(folder, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is alive too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A rename is on the disk when its folder is. Windows has no such thing: folders cannot be opened there. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems cannot do it.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await handle.close()
  }
}

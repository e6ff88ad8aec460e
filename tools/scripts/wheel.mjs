// Reads Python wheels, which are zip files: Node inflates but knows no archives. Members are stored or deflated and
// every size fits in 32 bits, which holds for any wheel below 4 GiB; anything else is refused.
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, mkdir, open, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw, inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_HEADER = 0x04034b50
const STORED = 0
const DEFLATED = 8

/** Members up to this size are inflated in one go; larger ones are streamed, so memory stays small. */
const SMALL = 4 << 20

/**
 * Writes the members whose name `wanted` accepts under `folder`, at their own paths.
 * @returns how many were written
 */
export async function unpack(file, folder, wanted = () => true) {
  const handle = await open(file)
  try {
    const members = (await readDirectory(handle)).filter(({ name }) => !name.endsWith('/') && wanted(name))
    const folders = new Set()
    for (const member of members) {
      const target = resolve(folder, member.name)
      if (!target.startsWith(resolve(folder) + sep))
        throw new Error(`'${member.name}' in ${file} leads out of the folder`)
      const parent = dirname(target)
      if (!folders.has(parent)) await mkdir(parent, { recursive: true })
      folders.add(parent)
      await extract(handle, file, member, target)
    }
    return members.length
  } finally {
    await handle.close()
  }
}

/** The central directory, which is at the end and, unlike the local headers, always knows the sizes. */
async function readDirectory(handle) {
  const { size } = await handle.stat()
  const tail = await read(handle, Math.max(0, size - 65_557), Math.min(size, 65_557)) // 22 bytes and a comment
  let at = tail.length - 22
  while (at >= 0 && tail.readUInt32LE(at) !== END_OF_DIRECTORY) at -= 1
  if (at < 0) throw new Error('not a zip file: it has no central directory')
  const count = tail.readUInt16LE(at + 10)
  const length = tail.readUInt32LE(at + 12)
  const offset = tail.readUInt32LE(at + 16)
  if (count === 0xffff || offset === 0xffffffff) throw new Error('a zip file of the 64-bit form')
  const directory = await read(handle, offset, length)
  const members = []
  for (let i = 0, p = 0; i < count; i += 1) {
    if (directory.readUInt32LE(p) !== DIRECTORY_ENTRY) throw new Error('a damaged zip file')
    const nameEnd = p + 46 + directory.readUInt16LE(p + 28)
    members.push({
      name: directory.toString('utf8', p + 46, nameEnd),
      method: directory.readUInt16LE(p + 10),
      packed: directory.readUInt32LE(p + 20),
      size: directory.readUInt32LE(p + 24),
      executable: ((directory.readUInt32LE(p + 38) >>> 16) & 0o111) !== 0,
      header: directory.readUInt32LE(p + 42),
    })
    p = nameEnd + directory.readUInt16LE(p + 30) + directory.readUInt16LE(p + 32)
  }
  return members
}

async function extract(handle, file, { name, method, packed, size, executable, header }, target) {
  if (method !== STORED && method !== DEFLATED) throw new Error(`'${name}' is compressed by method ${method}`)
  const local = await read(handle, header, 30)
  if (local.readUInt32LE(0) !== LOCAL_HEADER) throw new Error('a damaged zip file')
  const start = header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
  if (packed <= SMALL && size <= SMALL) {
    const bytes = await read(handle, start, packed)
    await writeFile(target, method === DEFLATED ? inflateRawSync(bytes) : bytes)
  } else {
    const source = createReadStream(file, { start, end: start + packed - 1, highWaterMark: 1 << 20 })
    const inflate = method === DEFLATED ? [createInflateRaw({ chunkSize: 1 << 20 })] : []
    await pipeline([source, ...inflate, createWriteStream(target)])
  }
  const written = (await stat(target)).size
  if (written !== size) throw new Error(`'${name}' has ${written} bytes, expected ${size}`)
  if (executable) await chmod(target, 0o755)
}

async function read(handle, position, length) {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await handle.read(bytes, 0, length, position)
  if (bytesRead !== length) throw new Error('a zip file that is cut short')
  return bytes
}

/** The parts of tools/scripts/tfjs-node.mjs that need neither TensorFlow nor a network. */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'

const load = (name: string) =>
  import(pathToFileURL(join(import.meta.dirname, '../scripts', `${name}.mjs`)).href)
const { indexUrl, indexUrlOfConfig, parseIndexPage, splitCredentials } = await load('python-index')
const { checkHash, download } = await load('download-wheel')
const { unpack } = await load('wheel')
const { compilers } = await load('compile-binding')
const { unsupported } = await load('tfjs-node')

const folder = mkdtempSync(join(tmpdir(), 'fep-moe-tfjs-node-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const write = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

describe('the machine', () => {
  const good = { platform: 'linux', arch: 'x64', glibc: '2.36', processor: 'flags : sse4_2 avx avx2' }

  it('runs TensorFlow on Linux x64 with glibc and AVX', () => {
    expect(unsupported(good)).toBeUndefined()
  })

  it.each([
    ['another system', { platform: 'darwin' }, 'darwin x64'],
    ['another processor family', { arch: 'arm64' }, 'linux arm64'],
    ['musl', { glibc: undefined }, 'glibc'],
    ['a processor without AVX', { processor: 'flags : sse4_2 avx2fake' }, 'AVX'],
  ])('does not on %s', (_, change, word) => {
    expect(unsupported({ ...good, ...change })).toContain(word)
  })

  it('compiles with $CXX and its arguments first', () => {
    expect(compilers({ CXX: ' ccache g++-13 ' })).toEqual([['ccache', 'g++-13'], ['g++'], ['clang++']])
    expect(compilers({})).toEqual([['g++'], ['clang++']])
    expect(compilers({ CXX: '' })).toEqual([['g++'], ['clang++']])
  })
})

describe('the package index', () => {
  it('is the one of the environment, else of the last configuration file, else the public one', () => {
    const first = write('first.conf', '[global]\nindex-url = https://one.test/simple\n')
    const second = write('second.conf', '[global]\ntimeout = 9\n')
    const third = write('third.conf', '[global]\nindex_url: https://three.test/simple\n')
    expect(indexUrl({ PIP_INDEX_URL: 'https://env.test/simple' }, [first])).toBe('https://env.test/simple')
    expect(indexUrl({ UV_DEFAULT_INDEX: 'https://uv.test/simple' }, [first])).toBe('https://uv.test/simple')
    expect(indexUrl({}, [first, second, join(folder, 'absent.conf')])).toBe('https://one.test/simple')
    expect(indexUrl({}, [first, third])).toBe('https://three.test/simple')
    expect(indexUrl({}, [])).toBe('https://pypi.org/simple')
    expect(indexUrl({ PIP_CONFIG_FILE: '/dev/null' })).toBe('https://pypi.org/simple')
    expect(indexUrl({ PIP_CONFIG_FILE: third })).toBe('https://three.test/simple')
  })

  it('of `pip download` goes before the global one, and other commands do not count', () => {
    const text =
      '[install]\nindex-url = c\n[download]\nindex-url = b\n[global]\n# index-url = d\nindex-url = a\n'
    expect(indexUrlOfConfig(text)).toBe('b')
    expect(indexUrlOfConfig(text.replace('[download]', '[wheel]'))).toBe('a')
    expect(indexUrlOfConfig('[global]\nextra-index-url = a\n')).toBeUndefined()
  })

  it('keeps its password out of the address', () => {
    expect(splitCredentials('https://me:p%40ss@index.test/simple')).toEqual({
      url: 'https://index.test/simple',
      headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    })
    expect(splitCredentials('https://index.test/simple').headers).toEqual({})
  })

  const hash = 'a'.repeat(64)
  const base = 'https://index.test/simple/demo/'

  it('lists files as JSON', () => {
    const page = {
      files: [
        { filename: 'demo-1.whl', url: '../../files/demo-1.whl', hashes: { sha256: hash } },
        { filename: 'demo-2.whl', url: 'https://cdn.test/demo-2.whl', hashes: {} },
      ],
    }
    const listed = parseIndexPage(JSON.stringify(page), 'application/vnd.pypi.simple.v1+json', base)
    expect(listed).toEqual([
      { file: 'demo-1.whl', url: 'https://index.test/files/demo-1.whl', sha256: hash },
      { file: 'demo-2.whl', url: 'https://cdn.test/demo-2.whl', sha256: undefined },
    ])
  })

  it('lists files as HTML', () => {
    const page = `<html><body><a class="x"\n href="/f/demo-1%2Bcpu.whl?a=1&amp;b=2#sha256=${hash}">demo</a><br>
      <A HREF='demo-2.whl'>demo-2.whl</A></body></html>`
    expect(parseIndexPage(page, 'text/html; charset=utf-8', base)).toEqual([
      { file: 'demo-1+cpu.whl', url: 'https://index.test/f/demo-1%2Bcpu.whl?a=1&b=2', sha256: hash },
      { file: 'demo-2.whl', url: `${base}demo-2.whl`, sha256: undefined },
    ])
  })
})

describe('a download without pip', () => {
  const bytes = Buffer.from('a wheel')
  const wheel = { project: 'demo', version: '1', file: 'demo-1.whl', sha256: sha256(bytes) }

  /** Downloads from a server that answers with `page` and `file`, and returns what it was asked. */
  async function downloadFrom(page: string, file: Uint8Array, failures = 0) {
    const asked: IncomingMessage[] = []
    const server = createServer((request, response) => {
      asked.push(request)
      const broken = asked.length <= failures
      const isPage = request.url === '/simple/demo/'
      response.writeHead(broken ? 503 : 200, { 'content-type': isPage ? 'text/html' : 'application/zip' })
      response.end(isPage ? page : file)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    vi.stubEnv('PATH', '') // no Python
    vi.stubEnv('PIP_INDEX_URL', `http://me:secret@127.0.0.1:${(server.address() as AddressInfo).port}/simple`)
    try {
      return { path: (await download(wheel, folder)) as string, asked }
    } finally {
      server.closeAllConnections()
      server.close()
    }
  }

  it('finds the file on the page, logs in, and tries again after an error of the server', async () => {
    const { path, asked } = await downloadFrom('<a href="/files/demo-1.whl">demo-1.whl</a>', bytes, 1)
    expect(readFileSync(path)).toEqual(bytes)
    expect(asked.map(({ url }) => url)).toEqual(['/simple/demo/', '/simple/demo/', '/files/demo-1.whl'])
    expect(asked[2]?.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
    await checkHash(path, wheel.sha256)
  })

  it.each([
    ['other bytes', '<a href="demo-1.whl">demo-1.whl</a>', 'SHA-256'],
    ['another hash on the page', `<a href="demo-1.whl#sha256=${'b'.repeat(64)}">x</a>`, 'another demo-1.whl'],
    ['no such file', '<a href="demo-2.whl">demo-2.whl</a>', 'no demo-1.whl'],
  ])('keeps nothing of %s, and names the index without its password', async (_, page, word) => {
    const failure = await downloadFrom(page, Buffer.from('tampered')).catch((error: Error) => error.message)
    expect(failure).toContain(word)
    expect(failure).not.toContain('secret')
    expect(existsSync(join(folder, wheel.file))).toBe(false)
  })
})

describe('unpacking a wheel', () => {
  const large = Buffer.alloc(5 << 20, 'streamed, not held in memory; ')
  const members = [
    { name: 'demo/', bytes: Buffer.alloc(0) },
    { name: 'demo/stored.txt', bytes: Buffer.from('as it is'), stored: true },
    { name: 'demo/bin/tool', bytes: Buffer.from('#!/bin/sh\n'), executable: true },
    { name: 'demo/lib/large.so', bytes: large },
    { name: 'demo/empty', bytes: Buffer.alloc(0) },
  ]

  it('writes what is wanted, byte for byte', async () => {
    const file = write('demo.whl', zip(members))
    const out = join(folder, 'all')
    expect(await unpack(file, out)).toBe(4)
    for (const { name, bytes } of members.slice(1))
      expect(sha256(readFileSync(join(out, name)))).toBe(sha256(bytes))
    if (process.platform !== 'win32') expect(statSync(join(out, 'demo/bin/tool')).mode & 0o111).toBe(0o111)
    expect(await unpack(file, join(folder, 'some'), (name: string) => name.endsWith('.txt'))).toBe(1)
    expect(existsSync(join(folder, 'some/demo/lib'))).toBe(false)
  })

  it.each([
    ['a file cut short', () => zip(members).subarray(0, 4000)],
    ['no zip file', () => Buffer.from('<html>Not found</html>')],
    ['a name that leads out of the folder', () => zip([{ name: '../out.txt', bytes: Buffer.from('x') }])],
    ['a size that is not true', () => zip([{ name: 'x', bytes: Buffer.from('x'), claimed: 9 }])],
  ])('refuses %s', async (_, make) => {
    await expect(unpack(write('bad.whl', make()), join(folder, 'bad'))).rejects.toThrow()
    expect(existsSync(join(folder, 'out.txt'))).toBe(false)
  })
})

interface Member {
  name: string
  bytes: Uint8Array
  stored?: boolean
  executable?: boolean
  claimed?: number
}

/** A zip file, with the comment at its end that a reader has to search past. */
function zip(members: Member[]): Buffer {
  const bodies: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const { name, bytes, stored = false, executable = false, claimed = bytes.length } of members) {
    const packed = stored ? Buffer.from(bytes) : deflateRawSync(bytes)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(stored ? 0 : 8, 10)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt32LE(claimed, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE((executable ? 0o100755 : 0o100644) * 0x10000, 38)
    entry.writeUInt32LE(offset, 42)
    bodies.push(local, Buffer.from(name), packed)
    entries.push(entry, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(entries)
  const comment = Buffer.from('a comment')
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...bodies, directory, end, comment])
}

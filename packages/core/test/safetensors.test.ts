/** Files that are no safetensors, or lie: each is refused with a code, before anything large is allocated. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FepError, full, tensor } from '../src/index.js'
import { openSafetensors, readSafetensors, writeSafetensors } from '../src/safetensors/index.js'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** A file of a header, which may be anything, and a number of data bytes. */
function fileOf(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const head = typeof header === 'string' ? utf8(header) : header
  const file = new Uint8Array(8 + head.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(head.length), true)
  file.set(head, 8)
  return file
}

const entry = (fields: object = {}) => ({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields })
const one = (fields: object, dataBytes = 8) => fileOf(JSON.stringify({ a: entry(fields) }), dataBytes)
const many = (entries: object, dataBytes: number) => fileOf(JSON.stringify(entries), dataBytes)
const good = writeSafetensors({ a: tensor([1, 2, 3]), b: full([2, 2], 1, 'int32'), c: full([3], 1, 'bool') })

const BAD: Readonly<Record<string, Uint8Array>> = {
  'no bytes': new Uint8Array(0),
  'one byte': new Uint8Array(1),
  'seven bytes': new Uint8Array(7),
  'a header of no bytes': new Uint8Array(8),
  'a header of no bytes, and data': new Uint8Array(16),
  'a header that is longer than the file': fileOf('{}', 0, 3n),
  'a header of 2^32 bytes': fileOf('{}', 0, 2n ** 32n),
  'a header of 2^53 bytes': fileOf('{}', 0, 2n ** 53n),
  'a header of 2^63 bytes': fileOf('{}', 0, 2n ** 63n),
  'a header of 2^64 - 1 bytes': fileOf('{}', 0, 2n ** 64n - 1n),
  'a header that is longer than headers are': fileOf(' '.repeat(2 ** 24 + 1)),
  'a header that ends too early': fileOf('{}', 0, 1n),
  'a pickle': utf8('\x80\x02}q\x00(X\x08\x00\x00\x00W.weight'),
  'a zip, as torch.save writes it': utf8('PK\x03\x04\x00\x00\x08\x08archive/data.pkl'),
  JSON: utf8('{"a": [1, 2, 3]}'),
  'a header that is no JSON': fileOf('{nonsense}'),
  'a header that is cut off': fileOf('{"a": {"dtype": "F32"'),
  'an unclosed text': fileOf('{"a'),
  'an escape without an end': fileOf('{"\\'),
  'a wrong escape': fileOf('{"\\x": 1}'),
  'two objects': fileOf('{}{}'),
  'a trailing comma': fileOf('{"a": {},}'),
  'bytes that are no UTF-8': fileOf(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)),
  'half a surrogate pair': fileOf(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d)),
  'a byte order mark': fileOf('\ufeff{}'),
  'space before the header': fileOf(' {}'),
  'a list': fileOf('[]'),
  'a number': fileOf('1'),
  null: fileOf('null'),
  'a text': fileOf('"header"'),
  'lists in lists': fileOf(`{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  'lists in lists without an end': fileOf(`{"a": ${'['.repeat(1_000_000)}`),
  'objects in objects': fileOf('{"a":'.repeat(100_000)),
  'a tensor twice': fileOf(`{"a":${JSON.stringify(entry())},"a":${JSON.stringify(entry())}}`, 8),
  'a tensor twice, once escaped': fileOf(
    `{"a":${JSON.stringify(entry())},"\\u0061":${JSON.stringify(entry())}}`,
    8,
  ),
  'a field twice': fileOf('{"a":{"dtype":"I32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8),
  'a tensor that is null': many({ a: null }, 0),
  'a tensor that is a list': many({ a: [1, 2] }, 0),
  'a tensor that is a number': many({ a: 1 }, 0),
  'a tensor without fields': many({ a: {} }, 0),
  'no dtype': one({ dtype: undefined }),
  'a dtype that is not there': one({ dtype: 'F33' }),
  'a dtype in small letters': one({ dtype: 'f32' }),
  'a dtype called as a method of objects': one({ dtype: 'toString' }),
  'a dtype called __proto__': one({ dtype: '__proto__' }),
  'a dtype that is a number': one({ dtype: 32 }),
  'no shape': one({ shape: undefined }),
  'a shape that is a number': one({ shape: 2 }),
  'a shape that is a text': one({ shape: '2' }),
  'a negative dimension': one({ shape: [-2] }),
  'two negative dimensions': one({ shape: [-1, -2] }),
  'half a dimension': one({ shape: [2.5] }),
  'a dimension beyond safe integers': one({ shape: [2 ** 53] }),
  'a dimension of 1e400': fileOf('{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}', 8),
  'a dimension that is a text': one({ shape: ['2'] }),
  'a dimension that is null': one({ shape: [null] }),
  'a shape whose product overflows': one({ shape: [2 ** 32, 2 ** 32, 2 ** 32] }),
  'a shape whose product wraps to the right size': one({ shape: [2 ** 31, 2 ** 31, 4, 2] }),
  'a shape that wants more than is there': one({ shape: [3] }),
  'a shape that wants less than is there': one({ shape: [1] }),
  'a tensor of four gigabytes in eight bytes': one({ shape: [2 ** 30] }),
  'a dtype that wants more than is there': one({ dtype: 'F64' }),
  'half a byte': many({ a: entry({ dtype: 'F4', shape: [3], data_offsets: [0, 1] }) }, 1),
  'no offsets': one({ data_offsets: undefined }),
  'one offset': one({ data_offsets: [0] }),
  'three offsets': one({ data_offsets: [0, 4, 8] }),
  'offsets that are texts': one({ data_offsets: ['0', '8'] }),
  'offsets in the wrong order': one({ data_offsets: [8, 0] }),
  'a negative offset': one({ data_offsets: [-8, 0] }),
  'a fractional offset': one({ data_offsets: [0.5, 8.5] }),
  'an offset beyond the file': one({ data_offsets: [0, 16], shape: [4] }),
  'an offset of 2^53': one({ data_offsets: [2 ** 53, 2 ** 53 + 8] }),
  'an offset of 2^60': one({ data_offsets: [0, 2 ** 60], shape: [2 ** 58] }),
  'an unknown field': one({ strides: [1] }),
  'a gap at the start': one({ data_offsets: [4, 12] }, 12),
  'a gap at the end': one({}, 12),
  'a gap in between': many({ a: entry(), b: entry({ data_offsets: [12, 20] }) }, 20),
  'tensors that overlap': many({ a: entry(), b: entry({ data_offsets: [4, 12] }) }, 12),
  'tensors on the same bytes': many({ a: entry(), b: entry() }, 8),
  'an empty tensor inside another': many({ a: entry(), b: entry({ shape: [0], data_offsets: [4, 4] }) }, 8),
  'data without tensors': fileOf('{}', 8),
  'metadata that are a text': many({ __metadata__: 'pt' }, 0),
  'metadata that are null': many({ __metadata__: null }, 0),
  'metadata that are a list': many({ __metadata__: ['pt'] }, 0),
  'metadata with a number': many({ __metadata__: { format: 1 } }, 0),
  'metadata with an object': many({ __metadata__: { format: {} } }, 0),
  'a bool that is 2': many({ a: entry({ dtype: 'BOOL', shape: [1], data_offsets: [0, 1] }) }, 1).fill(2, -1),
  'an integer of more than 32 bits': many({ a: entry({ dtype: 'I64', shape: [1] }) }, 8).fill(1, -1),
  'a good file without its last byte': good.slice(0, -1),
  'a good file without its data': good.slice(0, -25),
  'a good file without half of its header': good.slice(0, 60),
  'a good file with one byte more': Uint8Array.of(...good, 0),
  'two good files': Uint8Array.of(...good, ...good),
}

const sourceOf = (bytes: Uint8Array, size = bytes.length) => ({
  size,
  read: async (start: number, end: number) => bytes.subarray(start, end),
})

async function readAll(source: Parameters<typeof openSafetensors>[0]): Promise<void> {
  const file = await openSafetensors(source)
  for (const name of file.tensors.keys()) await file.read(name)
}

describe('refused with FEP_BAD_FILE', () => {
  it.each(Object.entries(BAD))('%s', async (_, bytes) => {
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'FEP_BAD_FILE' }))
    await expect(readAll(bytes)).rejects.toMatchObject({ code: 'FEP_BAD_FILE' })
    await expect(readAll(sourceOf(bytes))).rejects.toMatchObject({ code: 'FEP_BAD_FILE' })
  })

  it('at every length that a good file may be cut to', () => {
    for (let length = 0; length < good.length; length++)
      expect(() => readSafetensors(good.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'FEP_BAD_FILE' }),
      )
  })

  it('a source that ends before its size', async () => {
    await expect(readAll(sourceOf(good.slice(0, -4), good.length))).rejects.toMatchObject({
      code: 'FEP_BAD_FILE',
    })
    await expect(readAll(sourceOf(new Uint8Array(0), 100))).rejects.toMatchObject({ code: 'FEP_BAD_FILE' })
  })

  it('a tensor that is not there', async () => {
    const file = await openSafetensors(good)
    for (const name of ['d', '__metadata__', 'constructor', '__proto__'])
      await expect(file.read(name)).rejects.toMatchObject({ code: 'FEP_BAD_FILE' })
  })

  it('a size that is none', async () => {
    for (const size of [-1, 1.5, Number.NaN, 2 ** 60])
      await expect(openSafetensors(sourceOf(good, size))).rejects.toMatchObject({ code: 'FEP_BAD_ARGUMENT' })
  })
})

describe('bytes that were changed', () => {
  const known = (error: unknown): boolean =>
    error instanceof FepError && ['FEP_BAD_FILE', 'FEP_UNSUPPORTED'].includes(error.code)

  /** Tensors of what was read never hold more than the file: nothing lies about its size. */
  const outcome = (bytes: Uint8Array): void => {
    try {
      const { tensors } = readSafetensors(bytes)
      for (const { shape, data } of Object.values(tensors)) {
        expect(data.length).toBe(shape.reduce((n, d) => n * d, 1))
        expect(data.byteLength).toBeLessThanOrEqual(2 * bytes.length)
      }
    } catch (error) {
      if (!known(error)) throw error
    }
  }

  it('are read or refused, never anything else', () => {
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice()
        for (const { at, byte } of changes) bytes[at] = byte
        outcome(bytes)
      }),
      { numRuns: 5000, seed: 8 },
    )
  })

  it('so are insertions and deletions', () => {
    fc.assert(
      fc.property(
        fc.nat(good.length),
        fc.nat(40),
        fc.uint8Array({ maxLength: 40 }),
        fc.boolean(),
        (at, cut, put, mend) => {
          const bytes = Uint8Array.of(...good.subarray(0, at), ...put, ...good.subarray(at + cut))
          // With the length of the header mended, the change gets further.
          if (mend && bytes.length > 8) {
            const end = Buffer.from(bytes).lastIndexOf('}')
            if (end > 8) new DataView(bytes.buffer).setBigUint64(0, BigInt(end - 7), true)
          }
          outcome(bytes)
        },
      ),
      { numRuns: 3000, seed: 9 },
    )
  })

  it('so are headers of random JSON', () => {
    const dim = fc.oneof(fc.nat(4), fc.integer(), fc.double())
    const tensors = fc.dictionary(
      fc.string({ maxLength: 4 }),
      fc.record(
        {
          dtype: fc.oneof(fc.constantFrom('F32', 'BF16', 'F16', 'I64', 'BOOL', 'U8', 'F4'), fc.string()),
          shape: fc.array(dim, { maxLength: 3 }),
          data_offsets: fc.tuple(dim, dim),
        },
        { requiredKeys: [] },
      ),
      { maxKeys: 3 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          tensors,
          fc.json().map((text) => JSON.parse(text)),
        ),
        fc.nat(32),
        (header, dataBytes) => outcome(fileOf(JSON.stringify(header), dataBytes)),
      ),
      { numRuns: 3000, seed: 10 },
    )
  })
})

describe('what is written', () => {
  it('is read back, whatever the names', () => {
    const names = ['W.weight', '', '__proto__', 'constructor', '0', 'ü "quoted" \\ \n', '\u{1f600}']
    const tensors = Object.fromEntries(names.map((name, i) => [name, tensor([i, -0, 1e-40])]))
    const metadata = Object.fromEntries(names.map((name) => [name, name]))
    expect(readSafetensors(writeSafetensors(tensors, { metadata }))).toEqual({ tensors, metadata })
  })

  it('does not depend on the order of its tensors, and is aligned', () => {
    const [a, b] = [full([3], 1, 'bool'), tensor([1, 2])]
    expect(writeSafetensors({ a, b })).toEqual(writeSafetensors({ b, a }))
    expect(Number(new DataView(writeSafetensors({ a }).buffer).getBigUint64(0, true)) % 8).toBe(0)
  })

  it('is read out of a part of a buffer at any alignment', () => {
    const room = new Uint8Array(good.length + 3)
    for (const shift of [0, 1, 2, 3]) {
      room.set(good, shift)
      expect(readSafetensors(room.subarray(shift, shift + good.length))).toEqual(readSafetensors(good))
      expect(readSafetensors(Buffer.from(room.buffer, shift, good.length))).toEqual(readSafetensors(good))
    }
  })

  it('fits its shape, and bears a name that it may have', () => {
    const bad = { dtype: 'float32', shape: [3], data: new Float32Array(2) } as const
    expect(() => writeSafetensors({ bad })).toThrow(expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }))
    expect(() => writeSafetensors({ __metadata__: tensor([1]) })).toThrow(
      expect.objectContaining({ code: 'FEP_BAD_ARGUMENT' }),
    )
  })
})

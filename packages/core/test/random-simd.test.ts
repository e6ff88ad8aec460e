import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { random } from '../src/random/index.js'
import { fillNormalsFast, normalsKernel } from '../src/random/normals-simd.js'
import { type FloatArray, fillNormals, mix, normalOf, prepareNormals } from '../src/random/values.js'

const BLOCK = 65536

const bytes = (array: FloatArray) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

function expectSame(actual: FloatArray, expected: FloatArray): void {
  // Not toEqual: it takes seconds for large arrays, and 0 for -0.
  expect(bytes(actual).equals(bytes(expected))).toBe(true)
}

test('the kernel loads here: the other tests compare two ways, not one with itself', () => {
  expect(normalsKernel()).not.toBeNull()
})

describe('the same bytes as fillNormals', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const length = fc.oneof(fc.nat(70), fc.nat(5000), fc.constantFrom(2047, 2048, 2049, 4095, 4096, 4097))
  const mean = fc.oneof(fc.constantFrom(0, -0, 1e-30, 1e300), fc.double({ noNaN: true, min: -1e9, max: 1e9 }))
  // Up to overflow, down to numbers that are denormal or zero in one precision or both.
  const std = fc.oneof(
    fc.constantFrom(0, 1, 0.02, 1e-40, 1e-310, 1e38, Number.MAX_VALUE),
    fc.double({ noNaN: true, min: 0, max: 1e9 }),
  )

  test('for any run', () => {
    prepareNormals()
    fc.assert(
      fc.property(
        fc.constantFrom(Float32Array, Float64Array),
        ...([word, word, length, fc.nat(9), fc.nat(9), mean, std] as const),
        (Kind, w, key, count, before, after, mean, std) => {
          const size = Kind.BYTES_PER_ELEMENT
          // A view inside a buffer, and a run inside the view: neither may be left.
          const view = () =>
            new Kind(new ArrayBuffer((count + before + after + 4) * size), 2 * size, count + before + after)
          const [fast, plain] = [view().fill(7), view().fill(7)]
          const run = { from: before, to: before + count, w, key }
          fillNormalsFast(fast, run, mean, std)
          fillNormals(plain, run, mean, std)
          expectSame(new Kind(fast.buffer), new Kind(plain.buffer))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('for four million words', () => {
    const [fast, plain] = [new Float64Array(2 ** 22), new Float64Array(2 ** 22)]
    const run = { from: 0, to: fast.length, w: 123456789, key: -987654321 }
    fillNormalsFast(fast, run, 0, 1)
    fillNormals(plain, run, 0, 1)
    expectSame(fast, plain)
  })

  // Hash inputs that reach these words under the key 1: rows of the table that a few million draws do not.
  test.each([
    [-1175841590, 0],
    [290457185, 6],
    [-1084368080, 9],
    [-1614627628, 14],
    [613079645, 19],
    [190354673, -2],
    [2030335463, -3],
    [136971580, -5],
    [1322009219, -7],
    [1007676924, -14],
    [1985450942, -22],
  ])('in the tails: input %i, word %i', (w, word) => {
    prepareNormals()
    expect(mix(w, 1)).toBe(word)
    const fast = new Float64Array(64)
    fillNormalsFast(fast, { from: 0, to: 64, w, key: 1 }, 0, 1)
    expect(fast[0]).toBe(normalOf(word))
  })

  test('for streams that cross blocks, as drawn one by one', () => {
    const position = fc
      .tuple(fc.nat(2 ** 36), fc.integer({ min: -300, max: 300 }))
      .map(([block, d]) => Math.max(0, block * BLOCK + d))
    fc.assert(
      fc.property(fc.maxSafeNat(), position, fc.nat(700), (seed, position, count) => {
        const bulk = Object.assign(random(seed), { position })
        const single = Object.assign(random(seed), { position })
        const floats = new Float32Array(count)
        bulk.fillNormal(floats, -2, 3)
        expect(bulk.position).toBe(position + count)
        expectSame(
          floats,
          floats.map(() => -2 + 3 * single.normal()),
        )
      }),
    )
  })
})

describe('without the kernel', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  const refusing = {
    Module: class {
      constructor() {
        throw new Error('refused by the content security policy')
      }
    },
  }

  test.each([
    ['no WebAssembly', 'WebAssembly', undefined],
    ['a policy that forbids it', 'WebAssembly', refusing],
    ['no atob', 'atob', undefined],
  ])('%s', async (_, name, value) => {
    vi.stubGlobal(name, value)
    vi.resetModules()
    const fresh = await import('../src/random/index.js')
    const { normalsKernel } = await import('../src/random/normals-simd.js')
    for (const Kind of [Float32Array, Float64Array]) {
      const [fast, plain] = [new Kind(BLOCK + 4321), new Kind(BLOCK + 4321)]
      fresh.random(77).fillNormal(plain, 1, 2)
      random(77).fillNormal(fast, 1, 2)
      expectSame(fast, plain)
    }
    expect(normalsKernel()).toBeNull()
  })
})

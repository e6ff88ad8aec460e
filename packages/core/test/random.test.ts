import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FepError } from '../src/errors.js'
import { random } from '../src/random/index.js'
import { scaleTo } from '../src/random/integer.js'
import { normalOf, prepareNormals } from '../src/random/values.js'

const BLOCK = 65536

const sha256 = (array: Float32Array | Float64Array | Int32Array) =>
  createHash('sha256').update(new Uint8Array(array.buffer)).digest('hex')

const anySeed = fc.oneof(fc.nat(), fc.maxSafeNat())
/** Positions near block borders, and far out. */
const anyPosition = fc.oneof(
  fc.tuple(fc.nat(3), fc.integer({ min: -30, max: 30 })).map(([block, d]) => Math.max(0, block * BLOCK + d)),
  fc.integer({ min: 0, max: 2 ** 52 }),
)

describe('goldens', () => {
  // Seed, path, position, word, int(1000003), normal. From a separate implementation in exact integers and 40 digits.
  test.each([
    [0, '0', 0, 0xbedacdfd, 745528, -0.660477251658],
    [0, '0', 1, 0xfe6ad203, 993820, -2.50154991258],
    [1, '0', 0, 0x344b4279, 204273, 0.826453751705],
    [42, 'init', 65535, 0xb569688d, 708641, -0.549414988022],
    [42, 'init', 65536, 0x03118b5f, 11986, 2.25756306751],
    [2 ** 53 - 1, 'a/β/10', 2 ** 52 + 12345, 0x7e3130fb, 492939, 0.0177024821521],
    [7, '0', 2 ** 33, 0x82f86b98, 511604, -0.0290887424574],
  ])('seed %i, stream %s, position %i', (seed, stream, position, word, int, normal) => {
    const at = () => Object.assign(random(seed, stream), { position })
    expect(at().uint32()).toBe(word)
    expect(at().uniform()).toBe(word / 2 ** 32)
    expect(at().int(1000003)).toBe(int)
    expect(Math.abs(at().normal() - normal)).toBeLessThan(2e-8)
  })

  test('a million of each, to the byte', () => {
    const stream = random(2026)
    const doubles = new Float64Array(1e6)
    const floats = new Float32Array(1e6)
    const ints = new Int32Array(1e6)
    stream.fillNormal(doubles)
    expect(sha256(doubles)).toBe('74bb9085c7d9ee87851d08495cfdc58b2e2e881b2f7f7f3cffebd5cfaf6d296e')
    stream.position = 0
    stream.fillNormal(floats)
    expect(sha256(floats)).toBe('fc35f78763bd80609abedc1d8e3e896e434ff1b75507dcb5158e15198856ddd1')
    stream.position = 0
    stream.fillUniform(floats, -1, 1)
    expect(sha256(floats)).toBe('219a01f2a5527a5933fc2912005e394dedc613b8ff03b8574c5923f84d316512')
    stream.position = 0
    stream.fillInt(ints, 1e9)
    expect(sha256(ints)).toBe('caf94a37ecf00713b305b5f75e5067968613d3724df88034cb35261d50594729')
    expect(stream.position).toBe(1e6)
  })

  test('a permutation', () => {
    expect([...random(3).permutation(10)]).toEqual([6, 5, 9, 2, 1, 0, 3, 8, 4, 7])
  })
})

// Words and their normals: sqrt(2) erfinv(1 - 2 p), p = (word + 0.5) / 2^32, in 40-digit arithmetic.
const QUANTILES: [number, number][] = [
  [0, 6.33795775455379],
  [1, 6.16642951781975],
  [2, 6.08510454578303],
  [3, 6.03096701911825],
  [5, 5.95750766298857],
  [10, 5.85089176064246],
  [31, 5.66539841570068],
  [32, 5.66003750333572],
  [100, 5.46306255438954],
  [1000, 5.03985112596871],
  [4095, 4.76302565872643],
  [4096, 4.76297641269697],
  [65535, 4.16957106224424],
  [65536, 4.16956758446658],
  [1000000, 3.49976898875838],
  [2097151, 3.29719341265157],
  [2097152, 3.29719327873237],
  [10000000, 2.82987542868536],
  [16777216, 2.66006745857997],
  [33554431, 2.41755902165947],
  [100000000, 1.99022524138914],
  [134217728, 1.86273186576759],
  [134217729, 1.86273186245947],
  [201326592, 1.67593972158489],
  [200000000, 1.67910153209881],
  [268435455, 1.53412054529914],
  [268435456, 1.53412054340596],
  [300000000, 1.47691513846918],
  [500000000, 1.19309889589318],
  [536870911, 1.15034938094153],
  [536870912, 1.15034937981048],
  [600000000, 1.08167543405421],
  [700000000, 0.982278017166451],
  [800000000, 0.891746114590315],
  [900000000, 0.807992049846094],
  [1000000000, 0.729556553075874],
  [1073741823, 0.674489750562425],
  [1073741824, 0.674489749829738],
  [1100000000, 0.655373333276484],
  [1200000000, 0.584634440147862],
  [1300000000, 0.516708482576954],
  [1400000000, 0.451088449024912],
  [1500000000, 0.387357002160543],
  [1600000000, 0.325162537752308],
  [1700000000, 0.264202105610901],
  [1800000000, 0.204208822348153],
  [1900000000, 0.144942277662501],
  [2000000000, 0.0861809490044897],
  [2100000000, 0.0277159484341],
  [2147482648, 5.83328064646066e-7],
  [2147483646, 8.75429811874987e-10],
  [2147483647, 2.91809937291662e-10],
]

test('normals follow the exact quantile, and complementary words are exact negatives', () => {
  prepareNormals()
  for (const [word, expected] of QUANTILES) {
    expect(Math.abs(normalOf(word) - expected)).toBeLessThan(2e-8)
    expect(normalOf(~word)).toBe(-normalOf(word))
  }
  for (let word = 1, last = normalOf(0); word < 2 ** 31 - 1; word = Math.ceil(word * 1.0005)) {
    const z = normalOf(word)
    if (!(z < last + 2e-8)) throw new Error(`not decreasing at ${word}`)
    last = z
  }
})

describe('one value per counter', () => {
  test('any way to reach a counter gives its value', () => {
    fc.assert(
      fc.property(anySeed, anyPosition, fc.integer({ min: 1, max: 60 }), (seed, position, count) => {
        const stream = random(seed, 'seek')
        const walk = random(seed, 'seek')
        const doubles = new Float64Array(count)
        const floats = new Float32Array(count)
        const ints = new Int32Array(count)
        stream.position = position
        stream.fillNormal(doubles)
        expect(stream.position).toBe(position + count)
        stream.position = position
        stream.fillNormal(floats, 3, 0.5)
        walk.position = position
        for (let i = 0; i < count; i++) {
          expect(walk.position).toBe(position + i)
          const z = walk.normal()
          expect(doubles[i]).toBe(z)
          expect(floats[i]).toBe(Math.fround(3 + 0.5 * z))
        }
        walk.position = stream.position = position
        stream.fillInt(ints, 999)
        for (let i = 0; i < count; i++) expect(ints[i]).toBe(walk.int(999))
        walk.position = stream.position = position
        stream.fillUniform(doubles)
        for (let i = 0; i < count; i++) expect(doubles[i]).toBe(walk.uniform())
        walk.position = position
        for (let i = 0; i < count; i++) expect(walk.uint32() / 2 ** 32).toBe(doubles[i])
      }),
    )
  })

  test('a fill over several blocks is a fill in pieces', () => {
    const whole = new Float64Array(3 * BLOCK + 5)
    const pieces = new Float64Array(whole.length)
    random(5).fillNormal(whole)
    const stream = random(5)
    for (let from = 0, size = 1; from < pieces.length; from += size, size = Math.ceil(size * 1.7))
      stream.fillNormal(pieces.subarray(from, from + size))
    expect(sha256(pieces)).toBe(sha256(whole))
  })
})

describe('splits', () => {
  const label = fc.oneof(fc.string({ maxLength: 20, unit: 'binary' }), fc.integer())

  test('are pure in (seed, path), and rebuilt from seed, stream and position', () => {
    fc.assert(
      fc.property(anySeed, label, label, anyPosition, (seed, first, second, position) => {
        const used = random(seed, first)
        used.normal()
        const child = used.split(second)
        expect(child.position).toBe(0)
        expect(child.stream).toBe(`${first}/${second}`)
        child.position = position
        const rebuilt = random(child.seed, child.stream)
        rebuilt.position = position
        expect(rebuilt.uint32()).toBe(child.uint32())
      }),
    )
  })

  test('different paths and seeds differ', () => {
    const seen = new Set<string>()
    const labels = [
      '',
      '0',
      '1',
      '-1',
      'a',
      'A',
      'a\0',
      '\0a',
      'abcdef',
      'abcdef\0',
      'abcdefg',
      '/',
      'é',
      '\ud800',
    ]
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]
    for (const seed of seeds)
      for (const name of labels) {
        const stream = random(seed, name)
        seen.add(`${stream.uint32()} ${stream.uint32()}`)
      }
    expect(seen.size).toBe(labels.length * seeds.length)
    expect(random(1).uint32()).toBe(random(1, '0').uint32())
  })
})

describe('ranges', () => {
  test('integers are the exact multiply-high of 64 bits', () => {
    const word = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.constantFrom(0, -1, 2 ** 31 - 1),
    )
    const bounds = fc.oneof(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(1, 65535, 65536, 2 ** 31))
    fc.assert(
      fc.property(bounds, word, word, (bound, high, low) => {
        const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
        expect(scaleTo(bound, high, low)).toBe(Number((bits * BigInt(bound)) >> 64n))
      }),
      { numRuns: 1000 },
    )
  })

  test('uniforms never reach the upper end, in either precision', () => {
    const ranges: [number, number][] = [
      [1, 1 + 2 ** -23],
      [1, 1 + 2 ** -52],
      [-1, 0],
      [-(2 ** -149), 0],
      [-1 - 2 ** -23, -1],
      [0, 0.1],
      [0, 1],
      [-3e38, 3e38],
      [-1, 2 ** 128],
    ]
    for (const [low, high] of ranges)
      for (const out of [new Float32Array(2000), new Float64Array(2000)]) {
        random(11).fillUniform(out, low, high)
        for (const value of out) if (!(value < high && value >= Math.fround(low))) throw new Error(`${value}`)
      }
  })

  test('permutations hold every index once', () => {
    fc.assert(
      fc.property(anySeed, fc.nat(300), (seed, n) => {
        const stream = random(seed)
        expect([...stream.permutation(n)].sort((a, b) => a - b)).toEqual(
          Array.from({ length: n }, (_, i) => i),
        )
        expect(stream.position).toBe(Math.max(0, n - 1))
      }),
    )
  })

  test('bad arguments are refused', () => {
    const stream = random(1)
    const out = new Float32Array(4)
    const bad: (() => unknown)[] = [
      ...[-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY].flatMap((value) => [
        () => random(value),
        () => {
          stream.position = value
        },
      ]),
      () => random('1' as unknown as number),
      () => random(1, 0.5),
      () => stream.split(Number.NaN),
      () => stream.split(null as unknown as string),
      ...[0, -1, 1.5, 2 ** 31 + 1, Number.NaN].flatMap((bound) => [
        () => stream.int(bound),
        () => stream.fillInt(new Int32Array(1), bound),
      ]),
      () => stream.fillUniform(out, 1, 1),
      () => stream.fillUniform(out, 0, Number.POSITIVE_INFINITY),
      () => stream.fillUniform(out, -1.7e308, 1.7e308),
      () => stream.fillNormal(out, Number.NaN),
      () => stream.fillNormal(out, 0, -1),
      () => stream.permutation(-1),
      () => {
        stream.position = 2 ** 53 - 1
        stream.uint32()
        stream.uint32()
      },
    ]
    for (const call of bad) {
      let thrown: unknown
      try {
        call()
      } catch (error) {
        thrown = error
      }
      expect(thrown, String(call)).toBeInstanceOf(FepError)
      expect((thrown as FepError).code).toBe('FEP_BAD_ARGUMENT')
    }
  })
})

import { describe, expect, test } from 'vitest'
import { random } from '../src/random/index.js'

// Every stream here is fixed, so a test that passes once passes always. Limits are at 5 standard errors or at a
// chance of about 1e-6.

const BLOCK = 65536

/** Standard normal distribution function: Taylor series inside 3, continued fraction outside. */
function phi(z: number): number {
  const pdf = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  const a = Math.abs(z)
  if (a < 3) {
    let term = z
    let sum = z
    for (let n = 3; Math.abs(term) > 1e-14; n += 2) sum += term *= (z * z) / n
    return 0.5 + pdf * sum
  }
  let tail = a
  for (let n = 40; n > 0; n--) tail = a + n / tail
  return z < 0 ? pdf / tail : 1 - pdf / tail
}

/** Standard score of a chi-square statistic (Wilson-Hilferty). */
function chiScore(counts: ArrayLike<number>, expected: (cell: number) => number): number {
  let chi = 0
  for (let i = 0; i < counts.length; i++) chi += (counts[i]! - expected(i)) ** 2 / expected(i)
  const k = 2 / (9 * (counts.length - 1))
  return (Math.cbrt(chi / (counts.length - 1)) - 1 + k) / Math.sqrt(k)
}

/** Sum of products over sqrt(n): a standard score if the arrays are independent normals. */
function crossScore(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum / Math.sqrt(a.length)
}

function normals(seed: number, stream: string | number, position: number, n: number): Float64Array {
  const source = random(seed, stream)
  source.position = position
  const out = new Float64Array(n)
  source.fillNormal(out)
  return out
}

describe('normals', () => {
  test('moments and tail counts of ten million', () => {
    const n = 1e7
    const chunk = new Float64Array(1e6)
    const source = random(1)
    const limits = [3, 4, 5]
    const beyond = [0, 0, 0]
    let [m1, m2, m3, m4] = [0, 0, 0, 0]
    for (let done = 0; done < n; done += chunk.length) {
      source.fillNormal(chunk)
      for (let i = 0; i < chunk.length; i++) {
        const z = chunk[i]!
        const q = z * z
        m1 += z
        m2 += q
        m3 += q * z
        m4 += q * q
        if (q > 9) for (let k = 0; k < 3; k++) if (q > limits[k]! ** 2) beyond[k]!++
      }
    }
    // Variances of z, z^2, z^3, z^4: 1, 2, 15, 96; of the skewness 6 and the kurtosis 24.
    const [mean, square, cube, fourth] = [m1 / n, m2 / n, m3 / n, m4 / n]
    const error = 5 / Math.sqrt(n)
    expect(Math.abs(mean)).toBeLessThan(error)
    expect(Math.abs(square - 1)).toBeLessThan(error * Math.sqrt(2))
    expect(Math.abs(cube)).toBeLessThan(error * Math.sqrt(15))
    expect(Math.abs(fourth - 3)).toBeLessThan(error * Math.sqrt(96))
    expect(Math.abs(cube - 3 * mean * square)).toBeLessThan(error * Math.sqrt(6))
    expect(Math.abs(fourth / square ** 2 - 3)).toBeLessThan(error * Math.sqrt(24))
    limits.forEach((limit, k) => {
      const expected = 2 * phi(-limit) * n
      expect(Math.abs(beyond[k]! - expected) / Math.sqrt(expected)).toBeLessThan(5)
    })
  })

  test('Kolmogorov-Smirnov distance of a million', () => {
    const z = normals(2, 0, 0, 1e6).sort()
    let distance = 0
    for (let i = 0; i < z.length; i++) {
      const p = phi(z[i]!)
      distance = Math.max(distance, (i + 1) / z.length - p, p - i / z.length)
    }
    expect(distance * Math.sqrt(z.length)).toBeLessThan(2.7)
    expect(distance * Math.sqrt(z.length)).toBeGreaterThan(0.25) // and not suspiciously even
  })

  test('lag correlations of values and of squares', () => {
    const z = normals(3, 0, 0, 500_100)
    const squares = z.map((value) => (value * value - 1) / Math.SQRT2)
    const n = 5e5
    for (const lag of [1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 32, 64, 100]) {
      expect(Math.abs(crossScore(z.subarray(0, n), z.subarray(lag, lag + n)))).toBeLessThan(5)
      expect(Math.abs(crossScore(squares.subarray(0, n), squares.subarray(lag, lag + n)))).toBeLessThan(5)
    }
  })

  test('neighboring seeds, streams and blocks are uncorrelated', () => {
    const base = normals(4, 4, 0, BLOCK)
    const others: [number, string | number, number][] = []
    for (let d = 1; d <= 16; d++) {
      others.push([4 + d, 4, 0], [4, 4 + d, 0], [4, 4, d * BLOCK])
      others.push([4 + 2 ** (d + 31), 4, 0], [4, `4/${d}`, 0], [4, 4, 2 ** (d + 30)], [4, 4, d])
    }
    for (const [seed, stream, position] of others)
      expect(Math.abs(crossScore(base, normals(seed, stream, position, BLOCK)))).toBeLessThan(5)
  })

  test('the first values of many seeds, and of many blocks, are standard normal', () => {
    for (const first of [
      (k: number) => random(k).normal(),
      (k: number) => random(5, k).normal(),
      (k: number) => normals(6, 0, k * BLOCK, 1)[0]!,
    ]) {
      let sum = 0
      let squares = 0
      const n = 5000
      for (let k = 0; k < n; k++) {
        const z = first(k)
        sum += z
        squares += (z * z - 1) / Math.SQRT2
      }
      expect(Math.abs(sum) / Math.sqrt(n)).toBeLessThan(5)
      expect(Math.abs(squares) / Math.sqrt(n)).toBeLessThan(5)
    }
  })
})

describe('words', () => {
  const n = 2 ** 19
  const units = new Float64Array(n)
  random(7).fillUniform(units)
  const words = Uint32Array.from(units, (u) => u * 2 ** 32)

  test('bits, bytes and pairs of bytes are even', () => {
    for (let bit = 0; bit < 32; bit++) {
      let ones = 0
      for (const word of words) ones += (word >>> bit) & 1
      expect(Math.abs(2 * ones - n) / Math.sqrt(n)).toBeLessThan(5)
    }
    for (const shift of [0, 8, 16, 24]) {
      const counts = new Int32Array(256)
      for (const word of words) counts[(word >>> shift) & 255]!++
      expect(Math.abs(chiScore(counts, () => n / 256))).toBeLessThan(5)
      const pairs = new Int32Array(65536)
      for (let i = 1; i < n; i++)
        pairs[((words[i - 1]! >>> shift) & 255) | (((words[i]! >>> shift) & 255) << 8)]!++
      expect(Math.abs(chiScore(pairs, () => (n - 1) / 65536))).toBeLessThan(5)
    }
  })

  test('no bit of a word tells a bit of a later word', () => {
    const m = 2 ** 14
    for (const lag of [1, 2, 16]) {
      const agreements = new Int32Array(1024)
      for (let i = 0; i < m; i++) {
        const a = words[i]!
        const b = words[i + lag]!
        for (let r = 0; r < 32; r++) {
          const same = ~(a ^ ((b << r) | ((b >>> (31 - r)) >>> 1)))
          for (let bit = 0; bit < 32; bit++) agreements[r * 32 + bit]! += (same >>> bit) & 1
        }
      }
      let worst = 0
      for (const count of agreements) worst = Math.max(worst, Math.abs(2 * count - m) / Math.sqrt(m))
      expect(worst).toBeLessThan(5.5)
    }
  })

  test('words repeat within a block as often as random words do', () => {
    let repeats = 0
    const blocks = 60 // a bijection would have none of the 30 repeats expected
    const source = random(8)
    const block = new Float64Array(BLOCK)
    for (let b = 0; b < blocks; b++) {
      source.fillUniform(block)
      block.sort()
      for (let i = 1; i < BLOCK; i++) if (block[i] === block[i - 1]) repeats++
    }
    const expected = (blocks * ((BLOCK * (BLOCK - 1)) / 2)) / 2 ** 32
    expect(Math.abs(repeats - expected) / Math.sqrt(expected)).toBeLessThan(5)
  })

  test('integers and permutations are even', () => {
    const ints = new Int32Array(1e6)
    random(9).fillInt(ints, 1000)
    const counts = new Int32Array(1000)
    for (const value of ints) counts[value]!++
    expect(Math.abs(chiScore(counts, () => 1000))).toBeLessThan(5)
    const orders = new Int32Array(120)
    const source = random(10)
    for (let k = 0; k < 120_000; k++) {
      const order = source.permutation(5)
      let rank = 0
      for (let i = 0; i < 5; i++) {
        let smaller = 0
        for (let j = i + 1; j < 5; j++) if (order[j]! < order[i]!) smaller++
        rank = rank * (5 - i) + smaller
      }
      orders[rank]!++
    }
    expect(Math.abs(chiScore(orders, () => 1000))).toBeLessThan(5)
  })
})

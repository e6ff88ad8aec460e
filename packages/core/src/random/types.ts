/**
 * A seekable stream of random values. Value i is a pure function of (seed, stream, i), the same bytes in every
 * engine: each draw takes one counter, and how it was reached (one at a time, in bulk, after a seek) does not matter.
 * To checkpoint a stream, keep `seed`, `stream` and `position`. Not for cryptography.
 */
export interface RandomStream {
  /** Seed of the whole family of streams. */
  readonly seed: number
  /** Labels from the root, joined by '/': `random(seed, stream)` is this stream at position 0. */
  readonly stream: string
  /**
   * Counter of the next draw. Assign to seek, to a safe integer >= 0; anything else throws `FEP_BAD_ARGUMENT`, as does
   * drawing past 2^53.
   */
  position: number

  /** An integer in [0, 2^32). */
  uint32(): number

  /** Uniform on [0, 1), a multiple of 2^-32. */
  uniform(): number

  /** Standard normal, within 6.34 standard deviations; its error against the exact quantile is below 2e-8. */
  normal(): number

  /**
   * An integer in [0, bound). No probability is off by more than 2^-64.
   *
   * @param bound an integer from 1 to 2^31
   * @throws FepError `FEP_BAD_ARGUMENT` for any other bound
   */
  int(bound: number): number

  /**
   * Fills with uniforms on [low, high), one counter an element, never `high` itself. With the default range these are
   * the values of {@link RandomStream.uniform}, rounded to the element type (just below 1: down).
   *
   * @param low included, as rounded to the element type. Default 0.
   * @param high excluded. Default 1.
   * @throws FepError `FEP_BAD_ARGUMENT` unless low < high and both are finite
   */
  fillUniform(out: Float32Array | Float64Array, low?: number, high?: number): void

  /**
   * Fills with normals, one counter an element: mean + std * {@link RandomStream.normal}, rounded to the element type.
   *
   * @param mean finite. Default 0.
   * @param std standard deviation, finite and >= 0. Default 1.
   * @throws FepError `FEP_BAD_ARGUMENT` if mean or std is out of range
   */
  fillNormal(out: Float32Array | Float64Array, mean?: number, std?: number): void

  /** Fills with the values of {@link RandomStream.int}, under the same conditions. */
  fillInt(out: Int32Array, bound: number): void

  /**
   * A uniformly random order of 0 to n - 1. Takes n - 1 counters (none for n = 0).
   *
   * @param n an integer from 0 to 2^31 - 1
   * @throws FepError `FEP_BAD_ARGUMENT` for any other n
   */
  permutation(n: number): Int32Array

  /**
   * The child stream `label`, at position 0: independent of this stream and of its other children, and the same
   * whatever was drawn before. `split('a').split('b')` is `split('a/b')`.
   *
   * @param label text, or a safe integer, which stands for its decimal text
   * @throws FepError `FEP_BAD_ARGUMENT` for any other label
   */
  split(label: string | number): RandomStream
}

import { erf as exact, ops, type Value } from '@fep-moe/core'
import { expect, it } from 'vitest'
import { compileProgram } from '../src/program.js'
import { graphOf } from './graphs.js'

async function erfOf(numbers: readonly number[]): Promise<number[]> {
  const program = compileProgram(graphOf({ x: [numbers.length] }, ({ x }) => ({ y: ops.erf(x as Value) })))
  const data = Float32Array.from(numbers)
  const { y } = await program.run({ x: { dtype: 'float32', shape: [numbers.length], data } })
  return [...(y?.readSync?.() ?? [])]
}

it('erf has the bits of the reference, near zero and far from it', async () => {
  const line = Array.from({ length: 40_000 }, (_, i) => (i - 20_000) / 3000)
  const small = Array.from({ length: 2000 }, (_, i) => 1.05 ** -i)
  const xs = [...line, ...small].map(Math.fround)
  expect(await erfOf(xs)).toEqual(xs.map((x) => Math.fround(exact(x))))
})

it('erf at the ends, and of what is no number', async () => {
  const ends = [Number.POSITIVE_INFINITY, 6, Number.NEGATIVE_INFINITY, 0, -0, Number.NaN]
  expect(await erfOf(ends)).toEqual([1, 1, -1, 0, -0, Number.NaN])
})

/**
 * The golden vectors are what the written formulas give: tools/goldens/recreate.py made them again, this compares. Selection
 * policies are held to a token-by-token definition beside, by the cases `gates/policies/decision/*`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { VectorData } from '../../packages/conformance/src/golden/vectors.js'
import { vectorIndex } from '../../packages/conformance/src/vectors/index.js'

const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../goldens/recreated.json'), 'utf8'),
) as { cases: Record<string, { sha256: string; tensors: number; worst: number }> }

describe('golden vectors', () => {
  it('were all made again', () => {
    expect(Object.keys(cases).sort()).toEqual(vectorIndex.map(({ id }) => id).sort())
  })

  it.each([...new Set(vectorIndex.map(({ module }) => module))])(
    'are those that were made again: %s',
    async (module) => {
      const { vectors } = (await import(`../../packages/conformance/src/vectors/${module}.ts`)) as {
        vectors: Record<string, VectorData>
      }
      for (const [id, { tensors, bytes }] of Object.entries(vectors)) {
        const made = cases[id]
        expect(made?.sha256).toBe(createHash('sha256').update(Buffer.from(bytes, 'base64')).digest('hex'))
        expect(made?.tensors).toBe(tensors.filter(([name]) => !/^(param|input)\./.test(name)).length)
        expect(made?.worst).toBeLessThanOrEqual(1)
      }
    },
  )
})

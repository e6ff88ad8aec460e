/** Parameters out of files with names of their own. */
import { describe, expect, it } from 'vitest'
import { createGate, full, type Params, preset, tensor } from '../src/index.js'
import {
  mappedName,
  openSafetensors,
  type ReadParamsOptions,
  readParams,
  renameParams,
  writeSafetensors,
} from '../src/safetensors/index.js'

const gate = createGate(preset('paper-a/beta+ant', { dim: 3, experts: 2 }))
const params = gate.init({ seed: 3 })

const take = async (tensors: Params, options?: ReadParamsOptions) =>
  readParams(gate.params, await openSafetensors(writeSafetensors(tensors)), options)

describe('names', () => {
  it('are mapped whole, by the longest prefix that ends at a dot, or not at all', () => {
    const map = { 'W.weight': 'gate.w', predictor: 'p', 'predictor.0': 'first', beta: 'no' }
    expect(
      ['W.weight', 'W.bias', 'predictor.0.bias', 'predictor.2.bias', 'beta_raw'].map((n) =>
        mappedName(n, map),
      ),
    ).toEqual(['gate.w', 'W.bias', 'first.bias', 'p.2.bias', 'beta_raw'])
  })

  it('go out and come back', async () => {
    const map = { W: 'model.layers.3.mlp.gate', predictor: 'model.layers.3.mlp.next', beta_raw: 'beta' }
    const renamed = renameParams(params, map)
    expect(Object.keys(renamed)).toContain('model.layers.3.mlp.next.0.weight')
    expect(await take(renamed, { map })).toEqual(params)
    expect(await take({ ...renamed, more: tensor([1]) }, { map })).toEqual(params)
  })

  it('are all taken where there is no map', async () => {
    expect(await take(params)).toEqual(params)
    expect(await take({ ...params, more: tensor([1]) }, { strict: false })).toEqual(params)
  })
})

describe('refused', () => {
  const { 'W.bias': _bias, ...without } = params
  it.each<[string, Params, ReadParamsOptions, string]>([
    ['a parameter that is missing', without, {}, 'FEP_BAD_PARAMS'],
    ['a tensor too many', { ...params, more: tensor([1]) }, {}, 'FEP_BAD_PARAMS'],
    [
      'a tensor too many with a map',
      { ...params, more: tensor([1]) },
      { map: { W: 'W' }, strict: true },
      'FEP_BAD_PARAMS',
    ],
    ['another shape', { ...params, 'W.bias': full([3], 0) }, {}, 'FEP_BAD_PARAMS'],
    ['another rank', { ...params, 'W.bias': full([2, 1], 0) }, {}, 'FEP_BAD_PARAMS'],
    ['the transpose', { ...params, 'W.weight': full([3, 2], 0) }, {}, 'FEP_BAD_PARAMS'],
    ['integers', { ...params, 'W.bias': full([2], 0, 'int32') }, {}, 'FEP_BAD_PARAMS'],
    ['NaN', { ...params, 'W.bias': full([2], Number.NaN) }, {}, 'FEP_BAD_PARAMS'],
    ['infinity', { ...params, 'W.bias': full([2], Number.NEGATIVE_INFINITY) }, {}, 'FEP_BAD_PARAMS'],
    ['a name in the file that is not there', params, { map: { W: 'router' } }, 'FEP_BAD_PARAMS'],
    ['a map of no parameter', params, { map: { 'W.wieght': 'W.weight' } }, 'FEP_BAD_ARGUMENT'],
    ['a map of half a word', params, { map: { predict: 'p' } }, 'FEP_BAD_ARGUMENT'],
    ['a map of all objects', params, { map: { constructor: 'W' } as never }, 'FEP_BAD_ARGUMENT'],
    ['a map to nothing', params, { map: { W: '' } }, 'FEP_BAD_ARGUMENT'],
    ['a map of two to one', params, { map: { 'W.weight': 'x', beta_raw: 'x' } }, 'FEP_BAD_ARGUMENT'],
  ])('%s', async (_, tensors, options, code) => {
    await expect(take(tensors, options)).rejects.toMatchObject({ code })
  })

  it('before any data are read', async () => {
    const bytes = writeSafetensors({ ...params, 'W.weight': full([4, 4], 0) })
    const reads: number[] = []
    const source = {
      size: bytes.length,
      read: async (start: number, end: number) => {
        reads.push(end - start)
        return bytes.subarray(start, end)
      },
    }
    const file = await openSafetensors(source)
    await expect(readParams(gate.params, file)).rejects.toMatchObject({ code: 'FEP_BAD_PARAMS' })
    expect(reads).toHaveLength(2)
  })
})

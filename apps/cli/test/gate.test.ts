/** `fep-moe gate`, with weights and tokens that PyTorch wrote. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { full, preset, presets, type Tensor, tensor } from '@fep-moe/core'
import { readSafetensors, writeSafetensors } from '@fep-moe/core/safetensors'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../src/main.js'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../packages/core/test/fixtures/weights/${name}.safetensors`, import.meta.url))
const at = (name: string) => join(folder.path, name)
const gate = (line: string) => fepMoe(['gate', ...line.split(' ')], { cwd: folder.path })
/** In this process, which is quicker: what happens once the command runs. */
async function inside(line: string): Promise<{ status: number; stdout: string; stderr: string }> {
  const before = process.cwd()
  const streams = ([process.stdout, process.stderr] as const).map((stream) =>
    vi.spyOn(stream, 'write').mockReturnValue(true),
  )
  const written = (i: number) => streams[i]?.mock.calls.map(([text]) => `${text}`).join('') ?? ''
  process.chdir(folder.path)
  try {
    const status = await main(['gate', ...line.split(' ')])
    return { status, stdout: written(0), stderr: written(1) }
  } finally {
    process.chdir(before)
    for (const stream of streams) stream.mockRestore()
  }
}

const tensorsOf = (path: string) => readSafetensors(readFileSync(path)).tensors
const write = (name: string, content: object | string) =>
  writeFileSync(at(name), typeof content === 'string' ? content : JSON.stringify(content))

const gap = (got: Tensor | undefined, want: Tensor | undefined): number => {
  expect(got?.shape).toEqual(want?.shape)
  return Math.max(...Array.from(got?.data ?? [], (x, i) => Math.abs(x - (want?.data[i] as number))))
}

beforeAll(() => {
  for (const name of ['gate', 'router', 'sigmoid-router']) {
    copyFileSync(fixture(name), at(`${name}.safetensors`))
    const { x } = tensorsOf(fixture(`${name}-expected`)) as { x: Tensor }
    writeFileSync(at(`${name}-x.safetensors`), writeSafetensors({ x }))
  }
  write('gate.json', preset('paper-a/beta+ant', { dim: 6, experts: 3 }))
  write('router.json', { dim: 6, experts: 8, bias: false, select: { kind: 'top-k', k: 2 } })
})

describe('gate run', () => {
  const line = '--config gate.json --weights gate.safetensors --input gate-x.safetensors'
  const expected = () => tensorsOf(fixture('gate-expected'))

  it.each([
    ['', 'js'],
    ['--stream', 'js'],
    ['--backend reference', 'reference'],
    ['--backend onnx --threads 1 --stream', 'onnx'],
  ])('gives the numbers of PyTorch: %s', async (flags, backend) => {
    const output = `y-${flags.replaceAll(' ', '')}.safetensors`
    const { status, stdout, stderr } = await gate(`run ${line} --output ${output} --json ${flags}`.trim())
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ output: at(output), backend, horizon: 1 })
    const found = tensorsOf(at(output))
    expect(gap(found.logits, expected().logits)).toBeLessThan(1e-5)
    expect(gap(found.weights, expected().weights)).toBeLessThan(1e-5)
    expect(readSafetensors(readFileSync(at(output))).metadata).toEqual({ format: 'pt', horizon: '1' })
  })

  it('takes the router of one layer out of a shard', async () => {
    const { status, stdout, stderr } = await gate(
      'run --config router.json --weights router.safetensors --input router-x.safetensors --output deep/r.safetensors --map W.weight=model.layers.3.mlp.gate.weight',
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(
      /^.+r\.safetensors: experts for the tokens themselves\n {2}weights float32\(2, 5, 8\)\n/,
    )
    const [found, want] = [tensorsOf(at('deep/r.safetensors')), tensorsOf(fixture('router-expected'))]
    expect(gap(found.logits, want.logits)).toBeLessThan(1e-5)
    expect(Array.from(found.indices?.data ?? [])).toEqual(Array.from(want.indices?.data ?? []))
  })

  it.each(['', ' --stream'])(
    'takes a policy, and what it carries: sigmoid scores, a correction bias%s',
    async (flag) => {
      const router = 'model.layers.3.mlp.gate'
      const select = {
        ...{ kind: 'token-choice', k: 3, weights: 'sigmoid', normalize: true, scale: 2.5 },
        ...{ biasRate: 0.001, biasOn: 'scores' },
      }
      write('sigmoid.json', { dim: 6, experts: 8, bias: false, select })
      const files =
        '--config sigmoid.json --weights sigmoid-router.safetensors --input sigmoid-router-x.safetensors'
      const output = `sigmoid${flag.trim()}.safetensors`
      const map = `--map W.weight=${router}.weight --map policy.bias=${router}.e_score_correction_bias`
      const { status, stderr } = await gate(`run ${files} --output ${output} ${map}${flag}`)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const [found, want] = [tensorsOf(at(output)), tensorsOf(fixture('sigmoid-router-expected'))]
      expect(found.indices?.data).toEqual(want.indices?.data)
      const chosen = Array.from(
        want.indices?.data ?? [],
        (e, i) => found.weights?.data[Math.floor(i / 3) * 8 + e] as number,
      )
      expect(gap(tensor(Float32Array.from(chosen), want.gates?.shape), want.gates)).toBeLessThan(1e-5)
      const missing = await inside(`run ${files} --output ${output} --map W.weight=${router}.weight`)
      expect(missing.stderr).toMatch(/policy\.bias/)
    },
  )

  it('streams documents and precisions as whole sequences have them', async () => {
    write('own.json', preset('skill/full', { dim: 2, experts: 3 }))
    expect((await gate('init --config own.json --seed 5 --output own.safetensors')).status).toBe(0)
    const x = tensor(
      Float32Array.from({ length: 2 * 4 * 2 }, (_, i) => Math.sin(i)),
      [2, 4, 2],
    )
    const precision = tensor(
      Float32Array.from({ length: 2 * 4 * 3 }, (_, i) => 1 + (i % 5)),
      [2, 4, 3],
    )
    const reset = tensor(Uint8Array.of(0, 0, 1, 0, 1, 0, 0, 1), [2, 4])
    writeFileSync(at('own-x.safetensors'), writeSafetensors({ x, precision, reset }))
    for (const flag of ['', ' --stream']) {
      const files = '--config own.json --weights own.safetensors --input own-x.safetensors'
      const { stderr } = await gate(`run ${files} --output own-y${flag.trim()}.safetensors${flag}`)
      expect(stderr).toBe('')
    }
    const [whole, stepwise] = [tensorsOf(at('own-y.safetensors')), tensorsOf(at('own-y--stream.safetensors'))]
    expect(Object.keys(stepwise).sort()).toEqual(['indices', 'logits', 'margin', 'next', 'weights'])
    for (const name of Object.keys(whole)) expect(gap(stepwise[name], whole[name])).toBeLessThan(1e-6)
  })

  it('takes one sequence without a batch', async () => {
    writeFileSync(at('flat.safetensors'), writeSafetensors({ x: full([5, 6], 0.5) }))
    const { stderr } = await gate(
      'run --config gate.json --weights gate.safetensors --input flat.safetensors --output flat-y.safetensors',
    )
    expect(stderr).toBe('')
    expect(tensorsOf(at('flat-y.safetensors')).weights?.shape).toEqual([1, 5, 3])
  })
})

describe('gate init, presets and inspect', () => {
  it('draw the bytes that the library draws', async () => {
    const { createGate } = await import('@fep-moe/core')
    const config = preset('paper-a/full', { dim: 5, experts: 4 })
    write('full.json', config)
    for (const line of ['--config full.json', '--preset paper-a/full --dim 5 --experts 4'])
      expect((await gate(`init ${line} --seed 7 --scheme xavier --output w.safetensors`)).stderr).toBe('')
    const params = createGate(config).init({ seed: 7, scheme: 'xavier' })
    expect(new Uint8Array(readFileSync(at('w.safetensors')))).toEqual(writeSafetensors(params))
  })

  it('print configurations', async () => {
    const { stdout } = await gate('presets paper-a/full --dim 5 --experts 4')
    expect(JSON.parse(stdout)).toEqual(preset('paper-a/full', { dim: 5, experts: 4 }))
    expect((await gate('presets')).stdout.split('\n')).toHaveLength(Object.keys(presets).length + 1)
    expect(JSON.parse((await gate('presets --json')).stdout)).toHaveProperty('skill/full')
  })

  it('count what is there, by hand', async () => {
    const { stdout, stderr } = await gate('inspect --config gate.json --layers 12 --sequences 100 --json')
    expect(stderr).toBe('')
    // beta 6, W 3·6 + 3, predictor 24·12 + 24 and 6·24 + 6; a state of 6 floats.
    const parameters = 6 + 21 + 312 + 150
    const found = JSON.parse(stdout)
    expect(found).toMatchObject({
      horizon: 1,
      causal: true,
      parameters: { total: parameters, bytes: 4 * parameters },
      state: { list: [{ name: 'memory', width: 6 }], bytesPerSequence: 24 },
      model: { layers: 12, sequences: 100, stateBytes: 12 * 100 * 24, parameterBytes: 12 * 4 * parameters },
    })
    // Every weight of a layer is a multiplication and an addition.
    const products = 2 * (18 + 288 + 144)
    expect(found.flopsPerToken).toBeGreaterThan(products)
    expect(found.flopsPerToken).toBeLessThan(1.5 * products)
  })

  it('draw a graph', async () => {
    const { stdout, stderr } = await gate('inspect --config gate.json --svg graph.svg')
    expect(stderr).toBe('')
    expect(stdout).toContain(`graph of a step: ${at('graph.svg')}`)
    const svg = readFileSync(at('graph.svg'), 'utf8')
    for (const text of ['predictor.0.weight', 'anticipation', 'memory', 'LinearScan', '(B, 1, 6)', 'next'])
      expect(svg).toContain(`>${text}<`)
    expect(svg.match(/<svg /g)).toHaveLength(1)
    expect(svg).not.toContain('<script')
  })

  it('know of a gate that cannot stream', async () => {
    write('oracle.json', preset('paper-a/oracle', { dim: 6, experts: 3 }))
    expect((await gate('inspect --config oracle.json')).stdout).toContain('streaming           no')
  })
})

describe('files that are refused', () => {
  const run = (files: { config?: string; weights?: string; input?: string }, flags = '') =>
    inside(
      `run --config ${files.config ?? 'gate.json'} --weights ${files.weights ?? 'gate.safetensors'} --input ${files.input ?? 'gate-x.safetensors'} --output refused.safetensors ${flags}`.trim(),
    )
  const input = (name: string, tensors: Readonly<Record<string, Tensor>>) => {
    writeFileSync(at(name), writeSafetensors(tensors))
    return { input: name }
  }
  beforeAll(() => {
    mkdirSync(at('a-folder'))
    write('text', 'no JSON')
    write('unknown.json', { dim: 6, experts: 3, memroy: {} })
    write('list.json', [])
    write('large.json', `${' '.repeat(2 ** 20)}{}`)
    write('other.json', { dim: 6, experts: 4 })
    const good = readFileSync(at('gate.safetensors'))
    writeFileSync(at('cut'), good.subarray(0, -1))
    writeFileSync(at('lies'), Buffer.from(`${'\xff'.repeat(8)}{}`, 'latin1'))
    writeFileSync(at('empty'), '')
  })

  it.each<[string, () => ReturnType<typeof inside>, string]>([
    ['a configuration that is no JSON', () => run({ config: 'text' }), 'FEP_BAD_FILE'],
    ['a configuration of a megabyte', () => run({ config: 'large.json' }), 'FEP_BAD_FILE'],
    ['a configuration that is a list', () => run({ config: 'list.json' }), 'FEP_BAD_CONFIG'],
    ['a configuration with an unknown field', () => run({ config: 'unknown.json' }), 'FEP_BAD_CONFIG'],
    ['a configuration that is a folder', () => run({ config: 'a-folder' }), 'FEP_IO'],
    ['weights of another gate', () => run({ config: 'other.json' }), 'FEP_BAD_PARAMS'],
    ['weights that are not there', () => run({ weights: 'nowhere' }), 'FEP_IO'],
    ['weights that are a folder', () => run({ weights: 'a-folder' }), 'FEP_IO'],
    ['weights that are text', () => run({ weights: 'gate.json' }), 'FEP_BAD_FILE'],
    ['weights of no bytes', () => run({ weights: 'empty' }), 'FEP_BAD_FILE'],
    ['weights that were cut off', () => run({ weights: 'cut' }), 'FEP_BAD_FILE'],
    ['weights with a header of 2^64 bytes', () => run({ weights: 'lies' }), 'FEP_BAD_FILE'],
    ['weights under other names', () => run({ weights: 'router.safetensors' }), 'FEP_BAD_PARAMS'],
    ['a map of no parameter', () => run({}, '--map gate=W'), 'FEP_BAD_ARGUMENT'],
    ['a map to no tensor', () => run({}, '--map W=gate'), 'FEP_BAD_PARAMS'],
    ['tokens that were cut off', () => run({ input: 'cut' }), 'FEP_BAD_FILE'],
    ['tokens under another name', () => run({ input: 'gate.safetensors' }), 'FEP_BAD_FEED'],
    ['no tokens', () => run(input('none', {})), 'FEP_BAD_FILE'],
    ['tokens of another width', () => run(input('wide', { x: full([1, 2, 7], 0) })), 'FEP_BAD_FEED'],
    [
      'tokens of another width, streamed',
      () => run(input('wide', { x: full([1, 2, 7], 0) }), '--stream'),
      'FEP_BAD_FEED',
    ],
    ['tokens of rank 1', () => run(input('flat', { x: full([6], 0) })), 'FEP_BAD_FEED'],
    ['no sequence, streamed', () => run(input('no', { x: full([0, 2, 6], 0) }), '--stream'), 'FEP_BAD_FEED'],
    ['tokens of integers', () => run(input('int', { x: full([1, 2, 6], 0, 'int32') })), 'FEP_BAD_FEED'],
    [
      'a precision that the gate does not take',
      () => run(input('pi', { x: full([1, 2, 6], 0), precision: full([3], 1) })),
      'FEP_UNSUPPORTED',
    ],
    [
      'a reset of another shape',
      () => run(input('re', { x: full([1, 2, 6], 0), reset: full([1, 3], 0, 'bool') })),
      'FEP_BAD_FEED',
    ],
    [
      'a reset of another shape, streamed',
      () => run(input('re', { x: full([1, 2, 6], 0), reset: full([1, 3], 0, 'bool') }), '--stream'),
      'FEP_BAD_FEED',
    ],
    [
      'an output over its weights',
      () =>
        inside(
          'run --config gate.json --weights gate.safetensors --input gate-x.safetensors --output ./gate.safetensors',
        ),
      'FEP_USAGE',
    ],
    [
      'an output that is a folder',
      () =>
        inside(
          'run --config gate.json --weights gate.safetensors --input gate-x.safetensors --output a-folder',
        ),
      'FEP_IO',
    ],
    [
      'an output through a file',
      () => inside('init --config gate.json --output text/w.safetensors'),
      'FEP_IO',
    ],
    [
      'a picture over its configuration',
      () => inside('inspect --config gate.json --svg gate.json'),
      'FEP_USAGE',
    ],
  ])('%s', async (_, call, code) => {
    const { status, stdout, stderr } = await call()
    expect(stderr).toMatch(/^error FEP_\w+: .+\n$/)
    expect(stderr).toContain(`error ${code}: `)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(existsSync(at('refused.safetensors'))).toBe(false)
  })
})

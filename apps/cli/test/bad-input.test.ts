import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createGate, type FepErrorCode, referenceBackend, tensor } from '@fep-moe/core'
import { ablation, openDomainSwitch } from '@fep-moe/experiments'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { reportError } from '../src/status.js'
import { fepMoe, scratchFolder } from './command.js'

const folder = scratchFolder()
const ONE_LINE = /^error (FEP_\w+): (.+)\n$/

describe('flags and arguments', () => {
  const cases: [string, RegExp][] = [
    ['frobnicate', /unknown command 'frobnicate'/],
    ['--frobnicate', /unknown option '--frobnicate'/],
    ['reproduce', /name an experiment: ablation, beta-routing, precision, /],
    ['reproduce ablatoin', /no experiment is called 'ablatoin'; there is: ablation/],
    ['reproduce ablation twice', /too many arguments/],
    ['reproduce ablation --fast', /unknown option '--fast'/],
    ['reproduce ablation --backend cuda', /--backend is 'cuda'; accepted: onnx, js, tfjs/],
    ['reproduce ablation --backend', /argument missing/],
    ['reproduce ablation --backend=', /--backend is ''/],
    ['reproduce ablation --seeds=', /--seeds is ''; accepted: integers/],
    ['reproduce ablation --seeds one', /--seeds is 'one'/],
    ['reproduce ablation --seeds 1,,2', /--seeds is '1,,2'/],
    ['reproduce ablation --seeds 1,2,1', /--seeds is '1,2,1'; accepted: seeds that differ/],
    ['reproduce ablation --seeds=-1', /--seeds is '-1'/],
    ['reproduce ablation --seeds 1.5', /--seeds is '1.5'/],
    ['reproduce ablation --seeds 9007199254740992', /--seeds is/],
    ['reproduce ablation --epochs 0', /--epochs is '0'; accepted: an integer in 1\.\.1000000/],
    ['reproduce ablation --epochs 1e3', /--epochs is '1e3'/],
    ['reproduce ablation --epochs 1000001', /--epochs is '1000001'/],
    ['reproduce ablation --threads 0', /--threads is '0'; accepted: an integer in 1\.\.256/],
    ['reproduce ablation --threads two', /--threads is 'two'/],
    ['reproduce ablation --workers 0', /--workers is '0'/],
    ['reproduce ablation --out', /argument missing/],
    ['reproduce ablation --cache', /argument missing/],
    ['reproduce ablation --cach here', /unknown option '--cach'/],
    ['reproduce ablation --quick --check', /--check cannot judge --quick/],
    ['reproduce --all --quick --check', /--check cannot judge --quick/],
    ['reproduce ablation --all', /--all does not go with the name of an experiment: ablation/],
    ['reproduce ablation --full', /--full belongs to --all/],
    ['reproduce --full', /name an experiment: .*; or --all for all of them/],
    ['reproduce --all --full --quick', /--full does not go with --quick/],
    ['reproduce --all --full --seeds 1', /--full does not go with --seeds/],
    ['bench stream --peer', /argument missing/],
    ['bench', /a command is missing/],
    ['bench run', /unknown command 'run'/],
    ['bench train --steps 0', /--steps is '0'/],
    ['bench train --condition beta,gamma', /--condition is 'gamma'; accepted: baseline, beta/],
    ['bench train --experiment moon', /--experiment is 'moon'; accepted: ablation, beta-routing, precision,/],
    [
      'bench train --experiment language-model --condition pi',
      /--condition is 'pi'; accepted: standard, beta,/,
    ],
    ['conformance --group moon', /--group is 'moon'; accepted: operators/],
    ['conformance --backend gpu', /--backend is 'gpu'/],
    ['conformance --seed 3', /--seed belongs to --fuzz/],
    ['conformance --fuzz 5 --group golden', /--group does not go with --fuzz/],
    ['conformance --markdown --json', /--markdown does not go with --json/],
    ['conformance --fuzz 0', /--fuzz is '0'/],
    ['bounds moon', /no task is called 'moon'; there is: fixed, jittered, /],
    ['bounds renewal --n 0', /--n is '0'; accepted: an integer in 1\.\.10000000/],
    ['bounds renewal --n 1e3', /--n is '1e3'/],
    ['bounds renewal --seed=-1', /--seed is '-1'/],
    ['bounds renewal long', /too many arguments/],
    ['bounds --n 5', /name the task whose sequences --n counts/],
    ['backends onnx', /too many arguments/],
    ['gate', /a command is missing/],
    ['gate train', /unknown command 'train'/],
    ['gate presets paper-c', /no preset is called 'paper-c'; there is: affinity/],
    ['gate presets affinity', /a preset needs its size: --dim and --experts/],
    ['gate presets --dim 4', /name the preset whose size/],
    ['gate presets affinity --dim 0 --experts 2', /--dim is '0'; accepted: an integer in 1\.\.16777216/],
    ['gate presets skill/full --dim 4 --experts 1', /^error FEP_BAD_CONFIG: gate\.select\.k is 2/],
    ['gate init', /required option '--output <file>' not specified/],
    ['gate init --output w', /name the gate: either --config, or --preset/],
    ['gate init --output w --preset affinity --config c', /name the gate: either --config, or --preset/],
    ['gate init --output w --preset affinity --dim 4', /--preset needs --dim and --experts/],
    ['gate init --output w --config c --dim 4', /--dim and --experts belong to --preset/],
    ['gate init --output w --preset moon', /--preset is 'moon'; accepted: affinity/],
    [
      'gate init --output w --preset affinity --dim 4 --experts 2 --seed -1',
      /argument missing|--seed is '-1'/,
    ],
    ['gate init --output w --preset affinity --dim 4 --experts 2 --scheme he', /--scheme is 'he'/],
    [
      'gate init --output w --preset affinity --dim 16777216 --experts 16777216',
      /^error FEP_BAD_CONFIG: the gate has 281474\d+ parameters; accepted here: up to 1073741824/,
    ],
    ['gate run --config c --weights w --input x', /required option '--output <file>' not specified/],
    ['gate run --config c --weights w --input x --output y --map W', /--map is 'W'; accepted: NAME=NAME/],
    ['gate run --config c --weights w --input x --output y --map =W', /--map is '=W'/],
    ['gate run --config c --weights w --input x --output y --map W=', /--map is 'W='/],
    ['gate run --config c --weights w --input x --output y --map W=a --map W=b', /accepted: one name for W/],
    ['gate run --config c --weights w --input x --output y --backend gpu', /--backend is 'gpu'/],
    ['gate run --config c --weights w --input x --output y', /^error FEP_IO: cannot read c: ENOENT/],
    ['gate inspect', /required option '--config <file>' not specified/],
    ['gate inspect --config c', /^error FEP_IO: cannot read c: ENOENT/],
    ['gate inspect --config .', /^error FEP_IO: cannot read \.: it is a folder/],
    ['gate inspect --config c --layers 0', /--layers is '0'/],
    ['gate inspect --config c --sequences 1e3', /--sequences is '1e3'/],
  ]

  it.concurrent.each(cases)('fep-moe %s', async (line, message) => {
    const { status, stdout, stderr } = await fepMoe(line.split(' '), { cwd: folder.path })
    expect(stderr).toMatch(ONE_LINE)
    expect(stderr).toMatch(message)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  it('asks for a profiler only where there is one', async () => {
    const { status, stderr } = await fepMoe(['bench', 'train', '--profile', '--backend', 'reference'], {
      cwd: folder.path,
    })
    expect(stderr).toMatch(/^error FEP_UNSUPPORTED: --profile needs a backend with a profiler/)
    expect(status).toBe(2)
  })

  it('profiles only trainings that are lent a step at a time', async () => {
    const args = ['bench', 'train', '--profile', '--experiment', 'precision']
    const { status, stderr } = await fepMoe(args, { cwd: folder.path })
    expect(stderr).toMatch(/^error FEP_UNSUPPORTED: --profile needs a training that is lent/)
    expect(status).toBe(2)
  })

  it('refuses a cache that is a file, before any training', async () => {
    const file = fileURLToPath(import.meta.url)
    const args = ['reproduce', 'ablation', '--backend', 'reference', '--cache', file]
    const { status, stdout, stderr } = await fepMoe(args, { cwd: folder.path })
    expect(stderr).toMatch(/^error FEP_IO: cannot write to .+; choose another folder with --cache\n$/)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  })

  it('shows the stack when asked to', async () => {
    const { stderr } = await fepMoe(['reproduce'], { cwd: folder.path, env: { FEP_DEBUG: '1' } })
    expect(stderr).toMatch(/^error FEP_USAGE: .+\n.*FepError.+\n\s+at /)
  })

  it('leave nothing behind', () => {
    expect(folder.list()).toEqual([])
  })
})

describe('an output folder that cannot be written', () => {
  const area = scratchFolder()
  beforeAll(() => {
    writeFileSync(join(area.path, 'file'), 'kept')
    mkdirSync(join(area.path, 'taken', 'results.json'), { recursive: true })
  })

  it.each<readonly [string, string, RegExp]>([
    ['a file', 'file', /EEXIST|ENOTDIR/],
    ['a path through a file', 'file/deep/er', /ENOTDIR/],
    ['a folder whose results.json is a folder', 'taken', /results\.json is a folder/],
    ['a name that is too long', `new/${'x'.repeat(300)}`, /ENAMETOOLONG/],
    ...(process.platform === 'linux'
      ? [['a file system without files', '/proc/fep-moe', /ENOENT|EACCES|EPERM/] as const]
      : []),
  ])('is refused before any training: %s', async (_, out, why) => {
    const before = area.list()
    const args = ['reproduce', 'ablation', '--backend', 'reference', '--out', out]
    const { status, stdout, stderr } = await fepMoe(args, { cwd: area.path })
    expect(stderr).toMatch(ONE_LINE)
    expect(stderr).toMatch(/^error FEP_IO: cannot write to /)
    expect(stderr).toMatch(why)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(area.list()).toEqual(before)
  })
})

describe('a backend that is not there', () => {
  const preload = 'hide-onnxruntime.mjs'
  it.each(['reproduce ablation --backend onnx', 'reproduce ablation --check', 'bench train', 'conformance'])(
    'fep-moe %s',
    async (line) => {
      const { status, stdout, stderr } = await fepMoe(line.split(' '), { cwd: folder.path, preload })
      expect(stderr).toMatch(ONE_LINE)
      expect(stderr).toMatch(
        /^error FEP_BACKEND_MISSING: onnxruntime-node is not installed\. Install it with: /,
      )
      expect({ status, stdout }).toEqual({ status: 3, stdout: '' })
      expect(folder.list()).toEqual([])
    },
  )
})

describe('errors of the libraries', () => {
  const gate = createGate({ dim: 2, experts: 3 })
  const params = gate.init({ seed: 1 })
  const route = async (x: Parameters<typeof gate.route>[2]) => gate.route(await referenceBackend(), params, x)

  it.each<[string, () => unknown, FepErrorCode, RegExp]>([
    ['config: no experts', () => createGate({ dim: 2, experts: 0 }), 'FEP_BAD_CONFIG', /gate\.experts is 0/],
    [
      'config: an unknown key',
      () => createGate({ dim: 2, experts: 2, memroy: {} } as never),
      'FEP_BAD_CONFIG',
      /memroy/,
    ],
    [
      'config: k above the experts',
      () => createGate({ dim: 2, experts: 2, select: { kind: 'top-k', k: 3 } }),
      'FEP_BAD_CONFIG',
      /gate\.select\.k/,
    ],
    [
      'config: a decay of 1',
      () => createGate({ dim: 2, experts: 2, memory: { kind: 'leaky', beta: 1 } }),
      'FEP_BAD_CONFIG',
      /gate\.memory\.beta/,
    ],
    [
      'config: a task without noise',
      () => openDomainSwitch({ noise: 0 }, 1),
      'FEP_BAD_CONFIG',
      /task\.noise/,
    ],
    ['config: no epochs', () => ablation.settings({ epochs: 0 }), 'FEP_BAD_CONFIG', /settings\.epochs/],
    ['feed: the wrong width', () => route(tensor([[[1, 2, 3]]])), 'FEP_BAD_FEED', /3/],
    ['feed: the wrong dtype', () => route(tensor([[[1, 2]]], [1, 1, 2], 'int32')), 'FEP_BAD_FEED', /int32/],
    ['feed: the wrong rank', () => route(tensor([1, 2])), 'FEP_BAD_FEED', /2/],
    [
      'parameters: one is missing',
      async () => gate.route(await referenceBackend(), {}, tensor([[[1, 2]]])),
      'FEP_BAD_PARAMS',
      /W\.weight/,
    ],
  ])('%s', async (_, provoke, code, message) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      const error = await Promise.resolve()
        .then(provoke)
        .then(
          () => undefined,
          (e: unknown) => e,
        )
      expect(reportError(error)).toBe(2)
      const text = String(written.mock.calls[0]?.[0])
      expect(text).toMatch(ONE_LINE)
      expect(text).toMatch(message)
      expect(text).toContain(`error ${code}: `)
    } finally {
      written.mockRestore()
    }
  })
})

/** What a stranger gets: tarballs as a release packs them, installed into an empty folder, and the README's own lines. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-packed-'))
const windows = process.platform === 'win32'
const { useSwiftShader } = await import(new URL('../scripts/swiftshader.mjs', import.meta.url).href)
/** Where it is ready, WebGPU runs in the processes that are started here, with or without a graphics card. */
const driver = await useSwiftShader({ only: true })
// A shell finds npm.cmd on Windows; elsewhere arguments go through untouched.
const command = (name: string, args: string[], cwd: string) =>
  run(name, args, { cwd, shell: windows, env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' } })

/** The JavaScript blocks of a Markdown file. */
function snippets(file: string): string[] {
  return [...readFileSync(join(root, file), 'utf8').matchAll(/```js\n(.*?)```/gs)].map((m) => m[1] as string)
}

beforeAll(async () => {
  for (const name of ['core', 'js', 'onnx', 'tfjs', 'webgpu']) {
    await command(
      'npx',
      ['pnpm', '--dir', join(root, 'packages', name), 'pack', '--pack-destination', folder],
      root,
    )
  }
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
  const pinned = (name: string, runtime: string) => {
    const manifest = readFileSync(join(root, `packages/${name}/package.json`), 'utf8')
    return `${runtime}@${JSON.parse(manifest).devDependencies[runtime]}`
  }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  )
  const runtimes = [pinned('onnx', 'onnxruntime-node'), pinned('webgpu', 'webgpu')]
  await command(
    'npm',
    ['install', '--no-audit', '--no-fund', ...tarballs.map((file) => `./${file}`), ...runtimes],
    folder,
  )
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('installed from tarballs', () => {
  it('routes a sequence: the example of the README', async () => {
    const [example] = snippets('README.md')
    writeFileSync(join(folder, 'example.js'), example as string)
    const { stdout } = await command('node', ['example.js'], folder)
    expect(stdout.trim()).toBe('[ 1, 12, 4 ] [ 1, 12, 2 ] [ 1, 12, 4 ]')
  }, 60_000)

  it('trains, exports, steps: the examples of the packages', async () => {
    const names = ['core', 'js', 'onnx', 'tfjs', ...(driver.ready ? ['webgpu'] : [])]
    const examples = names.flatMap((name) => snippets(`packages/${name}/README.md`))
    for (const [i, code] of examples.entries()) {
      writeFileSync(join(folder, `example-${i}.js`), code)
      await command('node', [`example-${i}.js`], folder)
    }
    expect(readFileSync(join(folder, 'gate.onnx')).length).toBeGreaterThan(1000)
  }, 60_000)

  it('type-checks the examples as a TypeScript user would', async () => {
    // tfjs's own declarations do not compile without skipLibCheck, so its example has a program of its own.
    const [tfjs] = snippets('packages/tfjs/README.md')
    writeFileSync(join(folder, 'typed-tfjs.ts'), tfjs as string)
    const names = [
      'README.md',
      'packages/core/README.md',
      'packages/js/README.md',
      'packages/webgpu/README.md',
      ...readdirSync(join(root, 'docs/mechanisms')).map((file) => `docs/mechanisms/${file}`),
    ]
      .flatMap((file) => snippets(file))
      .map((code, i) => {
        writeFileSync(join(folder, `typed-${i}.ts`), code)
        return `typed-${i}.ts`
      })
    for (const [module, moduleResolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const compilerOptions = {
        noEmit: true,
        strict: true,
        target: 'es2022',
        types: [],
        module,
        moduleResolution,
      }
      const lib = ['es2022', 'esnext.disposable', 'dom']
      const compiler = join(root, 'node_modules/typescript/bin/tsc')
      for (const [files, skipLibCheck] of [
        [names, false],
        [['typed-tfjs.ts'], true],
      ] as const) {
        const config = { compilerOptions: { ...compilerOptions, lib, skipLibCheck }, files }
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
        // The compiler prints its findings to stdout.
        const findings = await command('node', [compiler, '-p', '.'], folder).then(
          () => '',
          (error) => error.stdout,
        )
        expect(findings).toBe('')
      }
    }
  }, 60_000)

  it('loads through require as well', async () => {
    writeFileSync(
      join(folder, 'example.cjs'),
      "const { createGate } = require('@fep-moe/core'); console.log(createGate({ dim: 2, experts: 2 }).horizon)",
    )
    const { stdout } = await command('node', ['--no-warnings', 'example.cjs'], folder)
    expect(stdout.trim()).toBe('0')
  }, 60_000)
})

// One lane of the suite, bundled from sources with a fault substituted on the way, in a process of its own.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../scripts/setup.mjs'

/** Cases that are enough to call a fault caught; the lane stops there. */
export const ENOUGH = 5

/** What runs a lane, and the package from which its runtime resolves. */
const LANES = {
  reference: { module: '@fep-moe/core', options: {}, home: 'core' },
  js: { module: '@fep-moe/js', options: {}, home: 'js' },
  onnx: { module: '@fep-moe/onnx', options: { smallPrograms: 'native' }, home: 'onnx' },
  'tfjs-cpu': { module: '@fep-moe/tfjs', options: { backend: 'cpu', smallPrograms: 'native' }, home: 'tfjs' },
}

const fromSources = {
  name: 'sources',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@fep-moe\// }, ({ path }) => {
      const [, name, entry = ''] = path.split('/')
      return { path: join(root, 'packages', name, 'src', entry, 'index.ts') }
    })
  },
}

/** Bundles the lane, runs it in a process of its own, and returns the ids of the first cases that failed. */
export async function runLane(lane, fault) {
  // Inside the checkout, so that what stays outside of the bundle (native runtimes) resolves.
  const folder = join(root, 'packages', LANES[lane].home, 'node_modules/.mutants')
  const bundle = join(folder, 'lane.mjs')
  mkdirSync(folder, { recursive: true })
  await build({
    stdin: { contents: entry(lane), resolveDir: join(root, 'apps/cli'), loader: 'ts' },
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Runtimes stay outside; this project's packages come from their sources.
    external: ['onnxruntime-node', '@tensorflow/*'],
    plugins: [fromSources, ...(fault ? [planted(fault)] : [])],
    logLevel: 'error',
  })
  const output = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bundle], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', () => resolve(Buffer.concat(chunks).toString()))
  })
  rmSync(folder, { recursive: true, force: true })
  const last = output.trim().split('\n').at(-1)
  // A fault that ends the process is caught too.
  return last?.startsWith('[') ? JSON.parse(last) : ['the process ended']
}

function entry(lane) {
  const { module, options } = LANES[lane]
  return `
    import { conformanceCases, isBroken, runCase } from '@fep-moe/conformance'
    import { createBackend } from '${module}'
    const create = () => createBackend(${JSON.stringify(options)})
    const failed: string[] = []
    const backend = await create().catch((error) => { failed.push(String(error)); return undefined })
    // A process that hangs is stopped by its own clock.
    setTimeout(() => { console.log(JSON.stringify([...failed, 'the suite did not end'])); process.exit() }, 300_000).unref()
    for (const testCase of backend ? conformanceCases() : []) {
      if (isBroken(await runCase(testCase, { backend: backend!, create }))) failed.push(testCase.id)
      if (failed.length >= ${ENOUGH}) break
    }
    console.log(JSON.stringify(failed))
    process.exit()`
}

/** Replaces one text of one file; a fault that no longer fits its source is an error. */
function planted({ id, file, find, replace }) {
  const path = join(root, file)
  const source = readFileSync(path, 'utf8')
  const times = source.split(find).length - 1
  if (times !== 1) throw new Error(`fault '${id}': its text occurs ${times} times in ${file}`)
  return {
    name: 'fault',
    setup: ({ onLoad }) => {
      onLoad({ filter: new RegExp(`${path.replaceAll(/[.\\]/g, '\\$&')}$`) }, () => ({
        contents: source.replace(find, () => replace),
        loader: 'ts',
      }))
    },
  }
}

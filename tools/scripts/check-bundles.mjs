// Bundles core and each backend that runs in a page with esbuild and with Vite, as an application would. Nothing of
// Node may be left in, and what routes must stay small. Prints a table of sizes; exits 1 where a rule is
// broken, or the README's sizes are stale (`--write` keeps new ones).
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'
import * as vite from 'vite'
import { root, setup } from './setup.mjs'
import { keepSizes } from './sizes.mjs'

/** What `import { createGate }` may cost before anything is loaded on demand, gzipped. */
const CORE_LIMIT = 30_000

const CORE = `import { createGate } from '@fep-moe/core'`
const subjects = [
  { name: 'core', owner: '@fep-moe/core', code: `${CORE}\nglobalThis.app = createGate`, limit: CORE_LIMIT },
  {
    name: 'core + js',
    owner: '@fep-moe/js',
    code: `${CORE}\nimport { jsBackend } from '@fep-moe/js'\nglobalThis.app = [createGate, jsBackend]`,
  },
  {
    name: 'core + onnx (web)',
    owner: '@fep-moe/onnx',
    code: `${CORE}\nimport { onnxBackend } from '@fep-moe/onnx'\nglobalThis.app = [createGate, onnxBackend]`,
  },
  {
    name: 'core + tfjs (wasm, cpu)',
    owner: '@fep-moe/tfjs',
    code: `${CORE}\nimport { tfjsBackend } from '@fep-moe/tfjs'\nglobalThis.app = [createGate, tfjsBackend]`,
    // Emscripten's glue inside tfjs-backend-wasm asks for them after it has found itself in Node.
    tolerated: ['fs', 'worker_threads'],
  },
  {
    name: 'core + webgpu',
    owner: '@fep-moe/webgpu',
    code: `${CORE}\nimport { webgpuBackend } from '@fep-moe/webgpu'\nglobalThis.app = [createGate, webgpuBackend]`,
  },
]
/** Optional peers that a page need not have; they are loaded behind a check. */
const OPTIONAL = [
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs-backend-webgl',
  '@tensorflow/tfjs-backend-webgpu',
]

await setup()
const folder = mkdtempSync(join(tmpdir(), 'fep-moe-bundle-'))
// Packages resolve as they do for the command line, which depends on all of them.
symlinkSync(join(root, 'apps/cli/node_modules'), join(folder, 'node_modules'))
try {
  const rows = []
  const sizes = {}
  for (const { name, owner, code, limit, tolerated = [] } of subjects) {
    writeFileSync(join(folder, 'main.js'), code)
    writeFileSync(join(folder, 'index.html'), '<script type="module" src="./main.js"></script>')
    for (const [tool, bundle] of [
      ['esbuild', withEsbuild],
      ['vite', withVite],
    ]) {
      const chunks = await bundle()
      const first = loadedAtOnce(chunks)
      const [atOnce, all] = [first, chunks].map((list) =>
        list.reduce((bytes, { text }) => bytes + gzipped(text), 0),
      )
      rows.push([name, tool, atOnce, all])
      if (tool === 'esbuild') sizes[owner] = { load: atOnce, all }
      const found = new Set(chunks.flatMap(nodeModules).filter((module) => !tolerated.includes(module)))
      for (const module of found) fail(`${name}, ${tool}: ${module} leaked into the bundle`)
      if (limit && atOnce > limit) fail(`${name}, ${tool}: ${atOnce} bytes gzipped; the limit is ${limit}`)
    }
  }
  console.log('bundle, tool: gzipped bytes at load, and with everything that loads on demand')
  for (const [name, tool, entry, total] of rows) console.log(`${name}, ${tool}: ${entry}, ${total}`)
  for (const line of keepSizes('bundled', sizes, { write: process.argv.includes('--write') })) fail(line)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function withEsbuild() {
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: folder,
    entryPoints: ['main.js'],
    outdir: join(folder, 'out'),
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: OPTIONAL,
    write: false,
    metafile: true,
    logLevel: 'error',
  })
  return outputFiles.map(({ path, text }) => {
    const [, output] = Object.entries(metafile.outputs).find(([file]) => path.endsWith(file))
    const imports = output.imports.filter(({ kind }) => kind === 'import-statement')
    return {
      name: basename(path),
      text,
      entry: basename(path) === 'main.js',
      imports: imports.map((chunk) => basename(chunk.path)),
    }
  })
}

async function withVite() {
  const { output } = await vite.build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: join(folder, 'main.js'), external: OPTIONAL },
    },
  })
  return output
    .filter((file) => file.type === 'chunk')
    .map(({ fileName, code, isEntry, imports }) => ({
      name: basename(fileName),
      text: code,
      entry: isEntry,
      imports: imports.map((file) => basename(file)),
    }))
}

/** The entry and what it imports statically, through other chunks too. */
function loadedAtOnce(chunks) {
  const loaded = new Set()
  const load = (chunk) => {
    if (!chunk || loaded.has(chunk)) return
    loaded.add(chunk)
    for (const name of chunk.imports) load(chunks.find((other) => other.name === name))
  }
  load(chunks.find(({ entry }) => entry))
  return [...loaded]
}

/** What a chunk imports that only Node has, and the empty module that Vite puts in its place. */
function nodeModules({ text }) {
  const imported = text.matchAll(/(?:from|import|require)\s*\(?\s*["']([^"']+)["']/g)
  const found = [...imported].map((match) => match[1])
  const native = ['onnxruntime-node', 'webgpu', ...builtinModules]
  const own = found.filter((name) => name.startsWith('node:') || native.includes(name))
  return text.includes('__vite-browser-external') ? [...own, 'a module that Vite emptied'] : own
}

function gzipped(text) {
  return gzipSync(text, { level: 9 }).length
}

function fail(message) {
  console.log(message)
  process.exitCode = 1
}

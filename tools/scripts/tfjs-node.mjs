// Makes the native binding of @tensorflow/tfjs-node for Linux x64 with Node alone. The package's own installer depends
// on one host and rewrites its package.json, so it does not run: the library comes from a pinned wheel of TensorFlow,
// and the binding is compiled from the package's sources. `node tools/scripts/tfjs-node.mjs`
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { readdir, readlink, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compile } from './compile-binding.mjs'
import { download } from './download-wheel.mjs'
import { exclusively, readJson, root } from './setup.mjs'
import { unpack } from './wheel.mjs'

const TENSORFLOW = {
  project: 'tensorflow-cpu',
  version: '2.15.1',
  file: 'tensorflow_cpu-2.15.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  sha256: '54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26',
}
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const HEADERS = /^tensorflow\/include\/(tensorflow\/c|tensorflow\/core\/platform|tsl\/c|tsl\/platform)\//

/** The same paths in the cache and in the package: the binding looks for `$ORIGIN/../../deps/lib`. */
const BINDING = 'lib/napi-v8/tfjs_binding.node'
const PARTS = [BINDING, ...LIBRARIES.map((file) => `deps/lib/${file}`)]

const installed = join(root, 'packages/tfjs/node_modules/@tensorflow/tfjs-node')
const cache = join(root, 'node_modules/.cache/tfjs-node')

/** A product of two matrices through the bare binding: `[[1, 2], [3, 4]]` squared. */
const CHECK = `
const tf = require(process.argv[1])
const x = tf.createTensor([2, 2], tf.TF_FLOAT, new Float32Array([1, 2, 3, 4]))
const flag = (name) => ({ name, type: tf.TF_ATTR_BOOL, value: false })
const type = { name: 'T', type: tf.TF_ATTR_TYPE, value: tf.TF_FLOAT }
const [y] = tf.executeOp('MatMul', [type, flag('transpose_a'), flag('transpose_b')], [x, x], 1)
console.log(tf.TF_Version, tf.tensorDataSync(y.id).join())`

/**
 * Makes @tensorflow/tfjs-node loadable, unless it is. The first time downloads 207 MB and keeps 615 MB under
 * node_modules/.cache; later ones take milliseconds. A binding that somebody else built is left alone.
 * @returns `{ ready: true }`, or `{ ready: false, reason }` with a line without its period; it does not throw
 */
export async function prepareTfjsNode({ quiet = false } = {}) {
  const say = (line) => quiet || process.stderr.write(`fep-moe: ${line}\n`)
  try {
    if (!existsSync(installed)) throw new Error('@tensorflow/tfjs-node is not installed in packages/tfjs')
    const home = realpathSync(installed)
    const built = join(
      cache,
      `${readJson(join(home, 'package.json')).version}-tensorflow-${TENSORFLOW.version}`,
    )
    if (await isReady(home, built)) return { ready: true }
    const obstacle = unsupported()
    if (obstacle) throw new Error(obstacle)
    await exclusively(
      async () => {
        if (!existsSync(built)) await build(home, built, say)
        for (const part of PARTS) await link(join(built, part), join(home, part))
      },
      join(cache, '.lock'),
    )
    return { ready: true }
  } catch (error) {
    return { ready: false, reason: error.message.split('\n')[0].replace(/\.$/, '') }
  }
}

/** Why this machine cannot run the library at all, or undefined. */
export function unsupported({ platform, arch, glibc, processor } = thisMachine()) {
  if (platform !== 'linux' || arch !== 'x64')
    return `the binding of tfjs-node is made for Linux x64, and this is ${platform} ${arch}`
  if (!glibc) return 'the TensorFlow library needs glibc, and this system has another C library'
  if (!/\bavx\b/.test(processor)) return 'the TensorFlow library needs a processor with AVX'
  return undefined
}

function thisMachine() {
  const { platform, arch } = process
  if (platform !== 'linux') return { platform, arch }
  const glibc = process.report.getReport().header.glibcVersionRuntime
  return { platform, arch, glibc, processor: readFileSync('/proc/cpuinfo', 'utf8') }
}

/** Whether the package has a binding: ours of these versions, or one of its own. */
async function isReady(home, built) {
  const binding = join(home, BINDING)
  if (!existsSync(binding)) return false
  const target = await readlink(binding).catch(() => undefined)
  return target === undefined || target === relative(dirname(binding), join(built, BINDING))
}

/** All of it happens aside; only what has computed something is renamed into the cache, and replaces older builds. */
async function build(home, built, say) {
  const aside = join(cache, '.aside')
  await rm(aside, { recursive: true, force: true })
  mkdirSync(join(aside, 'out/lib/napi-v8'), { recursive: true })
  mkdirSync(join(aside, 'out/deps/lib'), { recursive: true })
  try {
    say(`downloading ${TENSORFLOW.project} ${TENSORFLOW.version} (207 MB)…`)
    const wheel = await download(TENSORFLOW, aside)
    say('unpacking it (615 MB)…')
    const libraries = LIBRARIES.map((file) => `tensorflow/${file}`)
    await unpack(wheel, aside, (name) => libraries.includes(name) || HEADERS.test(name))
    await rm(wheel)
    for (const file of LIBRARIES)
      await rename(join(aside, 'tensorflow', file), join(aside, 'out/deps/lib', file))
    const output = join(aside, 'out', BINDING)
    await compile(
      {
        sources: ['tfjs_backend.cc', 'tfjs_binding.cc'].map((file) => join(home, 'binding', file)),
        include: [join(aside, 'tensorflow/include')],
        libraries: LIBRARIES.map((file) => join(aside, 'out/deps/lib', file)),
        rpath: '$ORIGIN/../../deps/lib',
        output,
      },
      aside,
      say,
    )
    await check(output)
    for (const entry of await readdir(cache))
      if (!entry.startsWith('.')) await rm(join(cache, entry), { recursive: true })
    await rename(join(aside, 'out'), built)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** In a process of its own: a wrong binding crashes whatever loads it. */
async function check(binding) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' }
  let printed = ''
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', CHECK, binding], {
      env,
      timeout: 60_000,
    })
    printed = stdout.trim()
  } catch (error) {
    const line = `${error.stderr}`.split('\n').find((text) => /^\w*Error: /.test(text))
    throw new Error(`the binding was built but does not run: ${line ?? error.signal ?? error.message}`)
  }
  if (printed !== `${TENSORFLOW.version} 7,10,15,22`)
    throw new Error(`the binding was built but computes '${printed}' for the product of two matrices`)
}

/** Puts a relative link where the package expects the file; whoever reads sees the old file or the new. */
async function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await symlink(relative(dirname(path), target), fresh)
  await rename(fresh, path)
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { ready, reason } = await prepareTfjsNode()
  process.stdout.write(ready ? 'tfjs-node is ready\n' : `tfjs-node cannot be used: ${reason}.\n`)
  process.exitCode = ready ? 0 : 1
}

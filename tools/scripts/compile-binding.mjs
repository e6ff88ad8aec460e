// Compiles a Node-API addon on Linux x64: with $CXX, g++ or clang++ where there is one, else with Zig's C++ compiler,
// which its Python package carries whole (compiler, linker, C and C++ libraries), needing no Python and no system
// headers.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { download } from './download-wheel.mjs'
import { unpack } from './wheel.mjs'

const ZIG = {
  project: 'ziglang',
  version: '0.14.1',
  file: 'ziglang-0.14.1-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64.whl',
  sha256: '6eb9d4d759b292c83810dbee2e9e8e3fbfbf01d864e6e9811bae711fd74e1c2f',
}

/** The oldest C library that Node 20 itself runs on. */
const ZIG_TARGET = ['-target', 'x86_64-linux-gnu.2.28']

/** Bytes of warnings that a compiler may print. */
const OUTPUT = 1 << 26

const run = promisify(execFile)

/**
 * Compiles and links `{ sources, include, libraries, rpath, output }`.
 * @param scratch a folder for what is downloaded; the caller removes it
 * @param say takes lines of progress
 */
export async function compile(task, scratch, say) {
  const { default: nodeApi } = await import('node-api-headers') // not static: setup may not have installed it yet
  const args = commandLine({ ...task, include: [nodeApi.include_dir, ...task.include] })
  const failures = []
  say('compiling the binding…')
  for (const [command, ...first] of compilers()) {
    try {
      return await run(command, [...first, ...args], { maxBuffer: OUTPUT })
    } catch (error) {
      if (error.code !== 'ENOENT') failures.push(`${command}: ${firstError(error)}`)
    }
  }
  say(`${failures.join('; ') || 'no C++ compiler was found'}: downloading ziglang ${ZIG.version} (83 MB)…`)
  const wheel = await download(ZIG, scratch)
  const folder = join(scratch, 'zig')
  await unpack(wheel, folder)
  say('compiling with it, a minute or two…')
  const caches = { ZIG_GLOBAL_CACHE_DIR: join(folder, 'cache'), ZIG_LOCAL_CACHE_DIR: join(folder, 'cache') }
  try {
    const env = { ...process.env, ...caches }
    return await run(join(folder, 'ziglang/zig'), ['c++', ...ZIG_TARGET, ...args], { env, maxBuffer: OUTPUT })
  } catch (error) {
    throw new Error(`the binding does not compile: ${[...failures, `zig: ${firstError(error)}`].join('; ')}`)
  }
}

/** The arguments that g++, clang++ and `zig c++` share. */
function commandLine({ sources, include, libraries, rpath, output }) {
  const folders = include.map((folder) => `-I${folder}`)
  const kind = ['-O2', '-std=c++17', '-shared', '-fPIC', '-s', '-DNAPI_VERSION=8']
  return [...kind, ...folders, ...sources, ...libraries, `-Wl,-rpath,${rpath}`, '-o', output]
}

/** Commands to try in order, each with its first arguments (`CXX` may hold some). */
export function compilers(env = process.env) {
  const chosen = env.CXX?.trim().split(/\s+/) ?? []
  return [chosen, ['g++'], ['clang++']].filter(([command]) => command)
}

function firstError({ stderr, message }) {
  const lines = `${stderr || message}`.trim().split('\n')
  return lines.find((line) => /\berror\b/i.test(line)) ?? lines[0]
}

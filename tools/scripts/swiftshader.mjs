// SwiftShader, a Vulkan driver that runs on the processor: what WebGPU runs on where there is no graphics card. Driver and
// loader come out of @sparticuz/chromium, so nothing of the system is needed. Linux x64.
// `node tools/scripts/swiftshader.mjs` prints the variables that make a program use it.
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { exclusively, readJson, root } from './setup.mjs'

const installed = join(root, 'tools/node_modules/@sparticuz/chromium')
const cache = join(root, 'node_modules/.cache/swiftshader')

const LOADER = 'libvulkan.so.1'
const MANIFEST = 'vk_swiftshader_icd.json'
const FILES = [LOADER, 'libvk_swiftshader.so', MANIFEST]

/** dlfcn.h: the library stays when the handle is closed. */
const RTLD_NODELETE = 0x1000

/**
 * Unpacks the driver, unless it is there.
 * @returns `{ ready: true, folder }`, or `{ ready: false, reason }` with a line without its period; it does not throw
 */
export async function prepareSwiftShader() {
  try {
    if (process.platform !== 'linux' || process.arch !== 'x64')
      throw new Error(`SwiftShader comes for Linux x64, and this is ${process.platform} ${process.arch}`)
    if (!existsSync(installed)) throw new Error('@sparticuz/chromium is not installed in tools')
    const folder = join(cache, readJson(join(installed, 'package.json')).version)
    if (!existsSync(folder))
      await exclusively(async () => existsSync(folder) || (await unpack(folder)), join(cache, '.lock'))
    return { ready: true, folder }
  } catch (error) {
    return { ready: false, reason: error.message.split('\n')[0].replace(/\.$/, '') }
  }
}

/** All files appear at once, and replace those of other versions. */
async function unpack(folder) {
  const aside = join(cache, '.aside')
  await rm(aside, { recursive: true, force: true })
  mkdirSync(aside, { recursive: true })
  const tar = await promisify(brotliDecompress)(readFileSync(join(installed, 'bin/swiftshader.tar.br')))
  const found = tarFiles(tar)
  for (const name of FILES) {
    if (!found.has(name)) throw new Error(`@sparticuz/chromium has no ${name}`)
    await writeFile(join(aside, name), found.get(name))
  }
  await rename(aside, folder)
}

/** The plain files of a tar archive (POSIX ustar), by name. */
export function tarFiles(tar) {
  const text = (from, length) => tar.toString('latin1', from, from + length).replace(/\0.*$/s, '')
  const files = new Map()
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8)
    const type = text(at + 156, 1)
    if (type === '' || type === '0') files.set(text(at, 100), tar.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

/** The variables, all of a loader's own, that name a driver; who sets one has chosen. */
const CHOSEN = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES']

/**
 * An environment for processes whose WebGPU shall run on SwiftShader.
 * @param only nothing else is found, not even a graphics card: what tests want. Otherwise it is one more driver, and a
 * graphics card goes first.
 * @returns what to add; nothing where the environment names a driver already
 */
export function swiftshaderEnv(folder, { only }, env = process.env) {
  if (CHOSEN.some((name) => env[name])) return {}
  const manifest = join(folder, MANIFEST)
  const libraries = [env.LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter)
  const driver = only ? { VK_ICD_FILENAMES: manifest } : { VK_ADD_DRIVER_FILES: manifest }
  return { ...driver, LD_LIBRARY_PATH: libraries }
}

/**
 * The same for this process and its children. The dynamic linker has read LD_LIBRARY_PATH when Node starts, so the loader
 * is loaded here where the system has none: it is found by its name when Dawn asks for it.
 * @returns as `prepareSwiftShader`
 */
export async function useSwiftShader({ only }) {
  const found = await prepareSwiftShader()
  if (!found.ready) return found
  const added = swiftshaderEnv(found.folder, { only })
  if (Object.keys(added).length === 0) return found
  if (!load(LOADER)) delete added.LD_LIBRARY_PATH
  else load(join(found.folder, LOADER))
  Object.assign(process.env, added)
  return found
}

/** Loads a library that is no Node addon. @returns the linker's complaint where there is no such library */
function load(library) {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE)
  } catch (error) {
    // It is loaded, and Node has seen that it registers nothing.
    if (!/did not self-register/.test(error.message)) return error.message
  }
  return undefined
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { ready, reason, folder } = await prepareSwiftShader()
  const lines = ready && Object.entries(swiftshaderEnv(folder, { only: true }, {}))
  process.stdout.write(
    ready
      ? `${lines.map(([name, value]) => `${name}=${value}`).join('\n')}\n`
      : `SwiftShader cannot be used: ${reason}.\n`,
  )
  process.exitCode = ready ? 0 : 1
}

/** A Chromium to test in: the one that FEP_MOE_CHROMIUM names, else the one from npm, which needs no installation. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium as playwright } from 'playwright-core'

/** WebGPU on SwiftShader: the same software on every machine. */
const FLAGS = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

/** WebGL on it, too. Not by default: pages are then painted through it as well, a tenth as fast. */
export const WEBGL_FLAGS: readonly string[] = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader']

/** A Chromium, or why there is none. */
export type Found = { readonly path: string; readonly reason?: never } | { readonly reason: string }

let found: Promise<Found> | undefined

/** Looks once; unpacks the one from npm where nobody has done so (four seconds, 200 MB in node_modules/.cache). */
export function findChromium(): Promise<Found> {
  found ??= find()
  return found
}

async function find(): Promise<Found> {
  const named = process.env.FEP_MOE_CHROMIUM
  if (!named && (process.platform !== 'linux' || process.arch !== 'x64'))
    return {
      reason: `the Chromium on npm is for Linux x64, this is ${process.platform}-${process.arch}; FEP_MOE_CHROMIUM may name another`,
    }
  const path = named ?? (await unpacked())
  const { status, error, stderr } = spawnSync(path, ['--no-sandbox', '--version'], { encoding: 'utf8' })
  return status === 0 ? { path } : { reason: `${path} does not start: ${error?.message ?? stderr.trim()}` }
}

/** The package unpacks into the folder for temporary files, and takes what lies there whatever its version. */
async function unpacked(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const { version } = JSON.parse(readFileSync(join(dirname(entry), '../../package.json'), 'utf8'))
  const { exclusively } = await import(new URL('../../../../tools/scripts/setup.mjs', import.meta.url).href)
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/chromium/', import.meta.url))
  const folder = join(cache, version)
  const complete = join(folder, '.complete')
  const path = join(folder, 'chromium')
  if (existsSync(complete)) return path
  mkdirSync(folder, { recursive: true })
  await exclusively(
    async () => {
      if (existsSync(complete)) return
      const { TMPDIR } = process.env
      process.env.TMPDIR = folder
      try {
        const { default: chromium } = await import('@sparticuz/chromium')
        await chromium.executablePath()
      } finally {
        if (TMPDIR === undefined) delete process.env.TMPDIR
        else process.env.TMPDIR = TMPDIR
      }
      writeFileSync(complete, '')
    },
    join(cache, `${version}.lock`),
  )
  return path
}

/** Starts it, without a window. @param flags beside the usual ones */
export async function launch(flags: readonly string[] = []): Promise<Browser> {
  const { path, reason } = (await findChromium()) as { path?: string; reason?: string }
  if (path === undefined) throw new Error(reason)
  return playwright.launch({ executablePath: path, headless: true, args: [...FLAGS, ...flags] })
}

// Blocks of TypeScript, and those of JavaScript that name no file: compiled as a strict TypeScript program.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../rehearsal/run.mjs'
import { bin } from '../scripts/setup.mjs'

const compilerOptions = {
  noEmit: true,
  strict: true,
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  types: ['node', 'vite/client'], // `./file.wasm?url` of Vite
  module: 'nodenext',
  moduleResolution: 'nodenext',
  skipLibCheck: true, // declarations are the rehearsal's to check
}

/**
 * Compiles all of them at once.
 * @param {string} folder
 * @param {readonly string[]} files
 * @returns {Promise<Map<string, string>>} findings by file
 */
export async function compile(folder, files) {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const printed = await run(process.execPath, [bin('tsc'), '-p', '.', '--pretty', 'false'], {
    cwd: folder,
    env: process.env,
  }).catch((error) => error.message)
  const findings = new Map()
  for (const [line, file] of printed.matchAll(/^(\S+?)\(\d+,\d+\): error .*$/gm))
    findings.set(file, `${findings.get(file) ?? ''}${line}\n`)
  if (findings.size === 0 && printed.includes('error')) throw new Error(printed)
  return findings
}

// Compiles packages/js/src/matvec/matvec.wat into matvec-wasm.ts beside it. The generated file is committed; run
// this after a change to the .wat: `node tools/scripts/generate-matvec-wasm.mjs`. With --check it writes nothing, and
// fails if the committed file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import wabt from 'wabt'
import { root } from './setup.mjs'

const folder = join(root, 'packages/js/src/matvec')
const target = join(folder, 'matvec-wasm.ts')

const { parseWat } = await wabt()
const source = parseWat('matvec.wat', readFileSync(join(folder, 'matvec.wat'), 'utf8'), { simd: true })
source.validate()
const code = Buffer.from(source.toBinary({}).buffer).toString('base64')

const lines = code.match(/.{1,100}/g).map((line) => `  '${line}'`)
const generated = `// Generated from matvec.wat by tools/scripts/generate-matvec-wasm.mjs. Do not edit.

/** The WebAssembly module of matvec.wat, in base64. */
export const MATVEC_WASM =
${lines.join(' +\n')}
`

if (!process.argv.includes('--check')) writeFileSync(target, generated)
else if (readFileSync(target, 'utf8') !== generated) {
  console.error(`${target} is out of date: run node tools/scripts/generate-matvec-wasm.mjs`)
  process.exit(1)
}

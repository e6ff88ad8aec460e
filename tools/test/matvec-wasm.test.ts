import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'vitest'

it('the WebAssembly module of the product of a packed matrix and a vector is what its source compiles to', () => {
  const script = join(import.meta.dirname, '../scripts/generate-matvec-wasm.mjs')
  execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })
}, 30_000)

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'vitest'

it('the WebAssembly module of the random streams is what its source compiles to', () => {
  const script = join(import.meta.dirname, '../scripts/generate-random-wasm.mjs')
  execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })
}, 30_000)

// What a page's blocks need beside them: files that its text says are there, and scripts that have been committed.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/setup.mjs'

const weights = 'packages/core/test/fixtures/weights'
const twoMinutes = ['gate', 'x', 'torch'].map((name) => [
  `${name}.safetensors`,
  `${weights}/two-minutes/${name}.safetensors`,
])

/** By page: names there, and where they come from. PyTorch wrote the weights (`tools/weights`). */
const files = {
  'docs/weights.md': [
    ...twoMinutes,
    ['model-00001-of-00002.safetensors', `${weights}/router.safetensors`],
    ['sigmoid-router.safetensors', `${weights}/sigmoid-router.safetensors`],
  ],
  'apps/cli/README.md': twoMinutes.filter(([name]) => name === 'x.safetensors'),
}

/** Scripts of other languages, word for word, whose results are committed: by page, in the order of their blocks. */
export const committed = { 'docs/weights.md': ['tools/weights/two_minutes.py'] }

/** Puts them there. */
export function layOut(page, folder) {
  for (const [name, from] of files[page] ?? []) copyFileSync(join(root, from), join(folder, name))
}

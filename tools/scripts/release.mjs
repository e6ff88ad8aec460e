// `npm run release`: publishes every package whose version is not on the registry yet, from a build that cannot hold
// files of deleted sources.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { bin, foreground, root, setup, workspaceDirectories } from './setup.mjs'

await setup({ build: false })
for (const directory of workspaceDirectories())
  rmSync(join(root, directory, 'dist'), { recursive: true, force: true })
const steps = [
  [bin('turbo'), 'run', 'build', '--force'],
  [join(root, 'tools/scripts/check-packages.mjs')],
  [bin('changeset'), 'publish', ...process.argv.slice(2)],
]
for (const step of steps) {
  process.exitCode = await foreground(step)
  if (process.exitCode !== 0) break
}

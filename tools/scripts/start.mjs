// `npm start`: the full ablation on ONNX Runtime, or a quick one on the reference where it has no binary.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { command } from './command.mjs'
import { root, setup } from './setup.mjs'

await setup()
const args = process.argv.slice(2)
const chosen = args.some((arg) => arg === '--backend' || arg.startsWith('--backend='))
const asks = args.some((arg) => ['--help', '-h', '--list'].includes(arg))
if (chosen || asks || onnxRuntimeLoads()) {
  await command(['reproduce', 'ablation', ...args])
} else {
  process.stderr.write(
    `fep-moe: ONNX Runtime has no binary for ${process.platform} ${process.arch}: running --quick on the reference.\n`,
  )
  await command(['reproduce', 'ablation', '--backend', 'reference', '--quick', ...args])
}

/** Tried in a process of its own: a native library that does not fit can end the one that loads it. */
function onnxRuntimeLoads() {
  const cwd = join(root, 'apps/cli')
  return (
    spawnSync(process.execPath, ['-e', "require('onnxruntime-node')"], { cwd, stdio: 'ignore' }).status === 0
  )
}

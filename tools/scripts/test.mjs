// `npm test`: everything set up and built (the command line is tested as it ships), then vitest. The lane of
// TensorFlow's own kernels needs a binding that is made here once; where it cannot be, the lane says why. WebGPU runs on
// SwiftShader, so that its numbers are the same on every machine, unless the environment names another driver.
import { namedLanes } from './lanes.mjs'
import { bin, foreground, setup, toolEnv } from './setup.mjs'
import { prepareSwiftShader, swiftshaderEnv } from './swiftshader.mjs'
import { prepareTfjsNode } from './tfjs-node.mjs'

await setup()
const named = namedLanes()
if (named.length === 0 || named.includes('tfjs-node')) {
  const { ready, reason } = await prepareTfjsNode()
  if (!ready) process.stderr.write(`fep-moe: the lane tfjs-node cannot run: ${reason}\n`)
}
const { folder } = await prepareSwiftShader()
process.exitCode = await foreground([bin('vitest'), 'run', ...process.argv.slice(2)], {
  env: { ...toolEnv(), ...(folder ? swiftshaderEnv(folder, { only: true }) : {}) },
})

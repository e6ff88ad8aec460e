// Runs what a version of Node can change of the conformance lanes, on the other versions that the packages claim.
// Their binaries are npm packages without an install script, so one Linux machine does what a matrix of jobs does
// elsewhere. `node tools/scripts/check-nodes.mjs [VERSION…]`
import { spawnSync } from 'node:child_process'
import { browserLanes, lanes } from './lanes.mjs'
import { hasNodeBinaries, NODE_LINES, nodeBinary } from './node-binary.mjs'
import { bin, root, setup, toolEnv } from './setup.mjs'
import { prepareSwiftShader, swiftshaderEnv } from './swiftshader.mjs'

/** Lanes that run code which is not plain JavaScript, or make code: what a version of Node can change. */
const CHECKED = lanes.filter(
  (lane) => !['reference', 'tfjs-cpu', 'webgpu-node', ...browserLanes].includes(lane),
)

/**
 * Node brings an engine and the interface of native addons: whether addons load, how operators round, what is collected.
 * These groups run every operator, alone and in random graphs and gates, and programs and backends from start to end.
 * What golden, gates and properties add is how graphs are built and put together, which no version of Node changes.
 */
const GROUPS = ['operators', 'official', 'gradients', 'fuzz', 'non-finite', 'lifecycle']

/** Of WebGPU the part that touches Node: the addon, what it hands over, and how a process ends. Kernels are the adapter's. */
const WEBGPU = ['adopted-device', 'backend', 'device-lost', 'process', 'runtime']

await setup()
const { folder } = await prepareSwiftShader()
if (!hasNodeBinaries) {
  console.log(
    `not run: the packages with Node binaries are for Linux x64, not ${process.platform} ${process.arch}`,
  )
} else {
  const own = process.versions.node.split('.')[0]
  const wanted = process.argv.slice(2)
  for (const version of wanted.length > 0 ? wanted : NODE_LINES.filter((v) => v.split('.')[0] !== own))
    check(version) // the Node that runs this is checked by `npm test`
}

function check(version) {
  const node = nodeBinary(version)
  console.log(`Node ${version}: ${GROUPS.join(', ')} of ${CHECKED.join(', ')}`)
  // The suite's last test says that the lane ran.
  const names = `^conformance (${[...GROUPS, 'ran'].join('|')})\\b`
  test(node, [...CHECKED.map((lane) => `conformance.${lane}.`), '-t', names], CHECKED)
  console.log(`Node ${version}: WebGPU's ${WEBGPU.join(', ')}`)
  test(node, ['--project', 'webgpu', ...WEBGPU], ['webgpu-node'])
}

/** Runs test files; a lane that is named must run. Parts of lanes are no reports: those of whole lanes stay as they are. */
function test(node, args, named) {
  const { FEP_MOE_REPORTS: _, ...env } = toolEnv()
  const { status } = spawnSync(node, [bin('vitest'), 'run', ...args], {
    cwd: root,
    env: {
      ...env,
      ...(folder ? swiftshaderEnv(folder, { only: true }) : {}),
      FEP_MOE_LANES: named.join(),
    },
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}

// What is installed and imported in a rehearsal.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root, workspaceDirectories } from '../scripts/setup.mjs'

/** Manifests of all published packages, in the checkout. */
export const published = workspaceDirectories()
  .map((directory) => ({ directory, manifest: readJson(join(root, directory, 'package.json')) }))
  .filter(({ manifest }) => !manifest.private)

/** What an application imports: every entry of every `exports`. */
export const entries = published.flatMap(({ manifest: { name, exports } }) =>
  Object.keys(exports)
    .filter((subpath) => subpath !== './package.json')
    .map((subpath) => name + subpath.slice(1)),
)

const developed = (directory, name) =>
  `${name}@${readJson(join(root, directory, 'package.json')).devDependencies[name]}`

/** Runtimes that are optional peers, in the versions that the tests have, and one that is no option. */
export const runtimes = [
  developed('packages/onnx', 'onnxruntime-node'),
  developed('packages/tfjs', '@tensorflow/tfjs-core'),
]

/** Dawn is large, so one installer shows it. */
export const dawn = developed('packages/webgpu', 'webgpu')

/** Types of Node, for programs that read files. */
export const nodeTypes = developed('.', '@types/node')

/** Pages whose examples run after an installation: the README and those of the packages. */
export const pages = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
]

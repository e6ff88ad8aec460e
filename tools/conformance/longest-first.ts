/**
 * The order of test files: what takes longest starts first, so that the workers end together. Without this, a fresh clone
 * orders by size of file, and the files of lanes, which take longest, are the shortest.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Parts of paths, by how long the files take; those with none of them come last, as vitest orders them. */
const LONG = [
  'conformance.webgpu-node',
  'conformance.webgpu-browser',
  'webgpu/test/memory',
  'conformance.onnx.',
  'conformance.tfjs-node',
  'conformance.tfjs-wasm',
  'conformance.onnx-web',
  'conformance.tfjs-browser',
  'conformance.js.',
  'conformance.tfjs-cpu',
  'conformance.reference',
  'playground/test/tfjs-webgl',
  'cli/test/',
  'onnx/test/small-programs',
  'conformance.kernel-forms',
  'tools/test/packed',
  'webgpu/test/training',
  'tools/test/writing-a-backend',
  'playground/test/',
  'conformance/test/',
]

const rank = ({ moduleId }: TestSpecification): number => {
  const found = LONG.findIndex((part) => moduleId.includes(part))
  return found < 0 ? LONG.length : found
}

/** See the file's header. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted].sort((a, b) => rank(a) - rank(b))
  }
}

// Regenerates packages/onnx/src/proto/onnx_pb.ts from packages/onnx/proto/onnx.proto. The generated file is committed;
// run this after a change to the .proto: `node tools/scripts/generate-onnx-proto.mjs`. Needs the npm registry.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, npm, root } from './setup.mjs'

const BUF = '@bufbuild/buf@1.75.0'
const PLUGIN = '@bufbuild/protoc-gen-es@2.17.0'

const home = join(root, 'node_modules/.cache/onnx-proto')
mkdirSync(home, { recursive: true })
writeFileSync(join(home, 'package.json'), '{ "private": true }')
writeFileSync(
  join(home, 'buf.gen.yaml'),
  JSON.stringify({
    version: 'v2',
    inputs: [{ directory: join(root, 'packages/onnx/proto') }],
    plugins: [
      {
        local: [process.execPath, join(home, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
        out: join(root, 'packages/onnx/src/proto'),
        opt: ['target=ts', 'import_extension=js'],
      },
    ],
  }),
)

run([npm(), 'install', '--no-audit', '--no-fund', '--ignore-scripts', BUF, PLUGIN])
run([join(home, 'node_modules/@bufbuild/buf/bin/buf'), 'generate'])
run([bin('biome'), 'check', '--write', join(root, 'packages/onnx/src/proto')], root)

function run(args, cwd = home) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

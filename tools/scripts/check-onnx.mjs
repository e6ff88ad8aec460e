// Runs the official ONNX checker (with shape inference) over a model of every operator, and of whatever else
// tools/onnx-models provides. The checker is a Python package; it is installed once, under node_modules/.cache.
// Without Python: one line, and exit 1 only under CI.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bin, quietly, root, setup } from './setup.mjs'

const CHECKER = 'onnx==1.17.0'
const home = join(root, 'node_modules/.cache/onnx-checker')
const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')

const SCRIPT = `
import pathlib, sys
import onnx
failed = 0
files = sorted(pathlib.Path(sys.argv[1]).glob('*.onnx'))
for file in files:
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        domains = {node.domain for node in model.graph.node}
        assert domains <= {''} and [(o.domain, o.version) for o in model.opset_import] == [('', 21)] and model.ir_version == 10
    except Exception as error:
        failed += 1
        print(f'{file.name}: {error}', file=sys.stderr)
print(f'onnx {onnx.__version__}: {len(files) - failed} of {len(files)} models are valid')
sys.exit(1 if failed or not files else 0)
`

await setup({ build: false })
await quietly('build', [bin('tsc'), '-b', 'packages/onnx'])
const missing = installChecker()
if (missing) {
  process.stdout.write(`check:onnx was not run: ${missing}\n`)
  process.exit(process.env.CI ? 1 : 0)
}
const folder = mkdtempSync(join(tmpdir(), 'fep-onnx-'))
try {
  await writeModels(folder)
  const { status } = spawnSync(python, ['-c', SCRIPT, folder], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Makes the virtual environment once. @returns why it cannot be made, or undefined */
function installChecker() {
  const stamp = join(home, CHECKER)
  if (existsSync(stamp)) return undefined
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const base = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
  if (!base) return 'Python 3 was not found'
  for (const args of [
    [base, '-m', 'venv', home],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', CHECKER],
  ]) {
    const { status, stderr } = spawnSync(args[0], args.slice(1), { encoding: 'utf8' })
    if (status !== 0)
      return `\`${args.slice(1, 4).join(' ')}\` failed: ${`${stderr}`.trim().split('\n').pop()}`
  }
  writeFileSync(stamp, '')
  return undefined
}

async function writeModels(folder) {
  const { toOnnx } = await import(pathToFileURL(join(root, 'packages/onnx/dist/index.js')).href)
  const sources = join(root, 'tools/onnx-models')
  for (const file of readdirSync(sources).filter((name) => name.endsWith('.mjs'))) {
    const { models } = await import(pathToFileURL(join(sources, file)).href)
    for (const { id, graph } of await models())
      writeFileSync(join(folder, `${id.replaceAll(/[^\w.-]+/g, '_')}.onnx`), toOnnx(graph))
  }
}

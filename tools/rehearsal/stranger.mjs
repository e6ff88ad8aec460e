// What someone does who has weights in PyTorch and nothing of ours: an empty folder, an installation, the README's
// example, docs/weights.md with files that PyTorch wrote, and PyTorch's numbers. Prints what a terminal would show.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf, commandsOf } from '../blocks/blocks.mjs'
import { npm, root } from '../scripts/setup.mjs'
import { run } from './run.mjs'

const fixtures = join(root, 'packages/core/test/fixtures/weights/two-minutes')

/**
 * @param {{ registry: { env: NodeJS.ProcessEnv }, scratch: string, node: string }} place
 * @returns {Promise<string>} the transcript
 */
export async function stranger({ registry, scratch, node }) {
  const folder = join(scratch, 'stranger')
  mkdirSync(folder)
  const transcript = []
  const at = { cwd: folder, env: registry.env }
  const show = async (line, program, args, file) => {
    const printed = (await run(program, args, at)).replaceAll(`${folder}/`, '')
    if (file) writeFileSync(join(folder, file), printed)
    transcript.push(`$ ${line}`, ...(file ? [] : printed.trim().split('\n').filter(Boolean)))
  }

  await show('npm init -y', process.execPath, [npm(), 'init', '-y', '--silent'])
  const install = commandsOf(blocksOf('README.md').find(({ language }) => language === 'sh').code)[0]
  const packages = [...install.split(' ').slice(2), '@fep-moe/js', 'fep-moe']
  await show(`npm install ${packages.join(' ')}`, process.execPath, [npm(), 'install', ...packages])

  writeFileSync(
    join(folder, 'example.mjs'),
    blocksOf('README.md').find(({ language }) => language === 'js').code,
  )
  await show('node example.mjs', node, ['example.mjs'])

  for (const name of readdirSync(fixtures)) copyFileSync(join(fixtures, name), join(folder, name))
  transcript.push(
    '$ python gate.py # on another machine: its three files are here now',
    readdirSync(fixtures).join('  '),
  )
  const blocks = blocksOf('docs/weights.md')
  for (const line of commandsOf(blocks.find(({ language }) => language === 'sh').code)) {
    const [command, file] = line.split(' > ')
    const args = command.replace(/^npx fep-moe /, '').split(' ')
    await show(line, node, ['node_modules/fep-moe/dist/bin.js', ...args], file)
  }
  copyFileSync(join(root, 'tools/rehearsal/compare-logits.mjs'), join(folder, 'compare-logits.mjs'))
  const files = ['y.safetensors', 'torch.safetensors']
  await show(`node compare-logits.mjs ${files.join(' ')}`, node, ['compare-logits.mjs', ...files])
  const compare = blocks.find(({ file }) => file === 'compare.mjs')
  writeFileSync(join(folder, compare.file), compare.code)
  await show('node compare.mjs', node, [compare.file])
  return transcript.join('\n')
}

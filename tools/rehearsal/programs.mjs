// Programs of an application: what it imports, how, and on which Node.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf } from '../blocks/blocks.mjs'
import { bin } from '../scripts/setup.mjs'
import { entries, pages, published } from './packages.mjs'
import { run } from './run.mjs'

/** @typedef {{ folder: string, node: string, env: NodeJS.ProcessEnv }} Place */

/** Writes a program. Two of them may run at a time. @returns its path */
function program(folder, code, extension) {
  const file = join(mkdtempSync(join(folder, 'program-')), `main.${extension}`)
  writeFileSync(file, code)
  return file
}

/** Every entry, imported: all of them load, and have exports. */
export async function importAll({ folder, node, env }) {
  const code = `for (const name of ${JSON.stringify(entries)})
  if (Object.keys(await import(name)).length === 0) throw new Error(name + ' exports nothing')`
  await run(node, [program(folder, code, 'mjs')], { cwd: folder, env })
  return `${entries.length} entries`
}

/** Every entry through \`require\`, which gives what \`import\` gives. */
export async function requireAll({ folder, node, env }) {
  const code = `for (const name of ${JSON.stringify(entries)}) {
  const required = require(name)
  import(name).then((imported) => {
    for (const key of Object.keys(imported))
      if (imported[key] !== required[key]) throw new Error(name + ' has two of ' + key)
  })
}`
  await run(node, ['--no-warnings', program(folder, code, 'cjs')], { cwd: folder, env })
  return `${entries.length} entries`
}

/** Tarballs hold what they should: a README, a licence, types; and no script that runs at an installation. */
export function inspectFiles({ folder }) {
  for (const { manifest } of published) {
    const home = join(folder, 'node_modules', manifest.name)
    for (const file of ['README.md', 'LICENSE']) readFileSync(join(home, file))
    const { scripts = {}, dependencies = {} } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      if (name in scripts) throw new Error(`${manifest.name} runs a script at its installation: ${name}`)
    for (const [name, range] of Object.entries(dependencies))
      if (range.startsWith('workspace:')) throw new Error(`${manifest.name} depends on ${name} ${range}`)
  }
  return `${published.length} packages`
}

/** JavaScript of the READMEs, run in order. */
export async function runSnippets({ folder, node, env }, { without = [] } = {}) {
  const blocks = snippets().filter(({ code }) => !without.some((name) => code.includes(`'${name}'`)))
  const home = mkdtempSync(join(folder, 'snippets-'))
  for (const [i, { code, page, line }] of blocks.entries()) {
    writeFileSync(join(home, `${i}.mjs`), code)
    await run(node, [`${i}.mjs`], { cwd: home, env }).catch((error) => {
      throw new Error(`${page}:${line}: ${error.message}`)
    })
  }
  return `${blocks.length} blocks`
}

const snippets = () => pages.flatMap((page) => blocksOf(page)).filter(({ language }) => language === 'js')

/** TensorFlow.js's own declarations do not compile without `skipLibCheck`. */
const NEEDS_SKIP_LIB_CHECK = /@fep-moe\/tfjs/

/**
 * Every entry and every example as TypeScript.
 * @param {{ module: string, moduleResolution: string, declarations?: boolean }} options `declarations`: those of the packages
 * are checked too, and not only what is used of them
 */
export async function typeCheck({ folder, env }, { module, moduleResolution, declarations = false }) {
  const all = [
    ...entries.map((name) => `import * as entry from '${name}'\nexport { entry }\n`),
    ...snippets().map(({ code }) => code),
  ]
  const programs = declarations ? all.filter((code) => !NEEDS_SKIP_LIB_CHECK.test(code)) : all
  const home = join(folder, `typed-${moduleResolution}-${declarations}`)
  mkdirSync(home)
  for (const [i, code] of programs.entries()) writeFileSync(join(home, `${i}.ts`), code)
  const compilerOptions = {
    noEmit: true,
    strict: true,
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable', 'dom'],
    types: ['node'],
    module,
    moduleResolution,
    skipLibCheck: !declarations,
    skipDefaultLibCheck: true,
  }
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  await run(process.execPath, [bin('tsc'), '-p', home], { cwd: folder, env })
  return `${programs.length} programs`
}

/** A backend whose runtime is not there says what to install. */
export async function missingRuntime({ folder, node, env }, { entry, open, line }) {
  const code = `import { ${open} } from '${entry}'
const error = await ${open}().then(() => undefined, (error) => error)
if (error?.code !== 'FEP_BACKEND_MISSING' || !error.message.includes(${JSON.stringify(line)})) throw error ?? new Error('it opened')`
  await run(node, [program(folder, code, 'mjs')], { cwd: folder, env })
}

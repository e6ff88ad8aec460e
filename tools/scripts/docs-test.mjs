// `npm run -s docs:test`: every block of code in the README, in docs and in the READMEs of packages and examples. JavaScript
// runs and prints what it promises, TypeScript compiles, commands run or are checked word by word, JSON parses. No language
// is left out: a block that nothing here knows is a failure. `node tools/scripts/docs-test.mjs [PAGE…]`
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { blocksOf, commandsOf } from '../blocks/blocks.mjs'
import { runJavaScript } from '../blocks/javascript.mjs'
import { committed } from '../blocks/page-files.mjs'
import { openSandbox, writeBlock } from '../blocks/sandbox.mjs'
import { shell } from '../blocks/shell.mjs'
import { compile } from '../blocks/types.mjs'
import { root, setup } from './setup.mjs'
import { prepareSwiftShader, swiftshaderEnv } from './swiftshader.mjs'

await setup()
const driver = await prepareSwiftShader()
if (driver.ready) process.env = { ...process.env, ...swiftshaderEnv(driver.folder, { only: true }) }
const sandbox = openSandbox()
process.on('exit', sandbox.remove)
const counts = { run: 0, compiled: 0, 'commands run': 0, 'commands checked': 0, compared: 0, parsed: 0 }
const checked = []
const failures = []
let blocks = 0
let handled = 0

const given = process.argv.slice(2)
const pages = (given.length > 0 ? given : allPages()).map((page) => ({
  page,
  home: sandbox.openPage(page),
  blocks: blocksOf(page),
}))
const typed = []
for (const { page, home, blocks } of pages)
  for (const [i, block] of blocks.entries())
    if (block.language === 'ts' || (block.language === 'js' && !block.file))
      typed.push({ page, block, file: typedCopy(home, block, i) })
// One process compiles while the others run.
const compiling = compile(
  sandbox.folder,
  typed.map(({ file }) => file),
)
const queue = [...pages]
await Promise.all([worker(), compiling])
const findings = await compiling
for (const { block, file } of typed) {
  if (findings.has(file)) fail(block, findings.get(file))
  else counts.compiled += 1
  if (block.language === 'ts') handled += 1
}
const text = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
console.log(`\nchecked, not run:\n${[...new Set(checked)].map((line) => `  ${line}`).join('\n')}`)
console.log(
  `\n${blocks} blocks on ${pages.length} pages: ${text.join(', ')}; ${failures.length} failed, 0 skipped`,
)
process.exitCode = failures.length === 0 && blocks > 0 && blocks === handled ? 0 : 1

async function worker() {
  for (let next = queue.shift(); next; next = queue.shift()) await test(next)
}

async function test({ page, home, blocks: own }) {
  // Files that import each other are there from the start; of two with one name, the first.
  for (const [i, block] of [...own.entries()].reverse()) if (block.file) writeBlock(home, block, i)
  let foreign = 0
  for (const [i, block] of own.entries()) {
    try {
      if (block.language === 'text') continue // formulas and pictures
      blocks += 1
      if (block.language === 'js') {
        await runJavaScript(block, { home, i })
        counts.run += 1
      } else if (block.language === 'sh') await commands(block, home)
      else if (block.language === 'json') {
        JSON.parse(block.code)
        counts.parsed += 1
      } else if (committed[page]?.[foreign]) {
        const script = committed[page][foreign++]
        if (readFileSync(join(root, script), 'utf8') !== block.code) throw new Error(`it is not ${script}`)
        counts.compared += 1
      } else if (block.language !== 'ts')
        throw new Error(`a block of '${block.language}': nothing here can run it`)
    } catch (error) {
      fail(block, error.message)
    }
    if (block.language !== 'ts') handled += 1 // run, checked, compared, or failed: not passed over
  }
}

async function commands(block, home) {
  for (const line of commandsOf(block.code)) {
    const done = await shell(line, home)
    counts[done === 'run' ? 'commands run' : 'commands checked'] += 1
    if (done === 'checked') checked.push(line)
  }
}

function fail({ page, line }, message) {
  failures.push(`${page}:${line}`)
  console.log(`FAILED  ${page}:${line}\n${message}`)
}

/** TypeScript lies where it says; JavaScript is copied beside, as TypeScript. */
function typedCopy(home, block, i) {
  const name = writeBlock(home, { ...block, language: 'ts' }, i)
  return relative(sandbox.folder, join(home, name))
}

function allPages() {
  const inFolder = (folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${`${name}`.replaceAll('\\', '/')}`)
      .filter((path) => path.endsWith('.md') && !/node_modules|\/etc\/|\/src\/|\/test\//.test(path))
  return [
    'README.md',
    'CONTRIBUTING.md',
    ...['docs', 'examples', 'packages', 'apps'].flatMap(inFolder),
  ].sort()
}

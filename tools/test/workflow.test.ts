import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const scripts = Object.keys(JSON.parse(read('package.json')).scripts)

/** The scripts that a text runs: `npm run [-s] NAME`, `npm test`, `npm start`. */
const scriptsIn = (text: string) =>
  [...text.matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(test|start)\b)/g)].map(
    (match) => match[1] ?? match[2],
  )

describe.each(['.github/workflows/ci.yml', 'CONTRIBUTING.md', 'README.md'])('%s', (path) => {
  it('runs only scripts that package.json has', () => {
    for (const name of scriptsIn(read(path))) expect(scripts).toContain(name)
  })
})

it('the workflow runs every lane of the local check', () => {
  const workflow = read('.github/workflows/ci.yml')
  expect(workflow).toContain('bash .ci/run')
  expect(scriptsIn(workflow)).toEqual(expect.arrayContaining(['test', 'fep-moe']))
})

it('the workflow has a job for every lane of the matrix', async () => {
  const { lanes } = await import(new URL('../scripts/lanes.mjs', import.meta.url).href)
  const [, listed] = read('.github/workflows/ci.yml').match(/^ +lane:\n((?: +- .+\n)+)/m) ?? []
  expect(listed?.match(/[\w-]{2,}/g)).toEqual(lanes)
})

it('every lane of the matrix is a test', async () => {
  const { lanes } = await import(new URL('../scripts/lanes.mjs', import.meta.url).href)
  const owners = ['conformance', 'js', 'onnx', 'tfjs', 'webgpu'].map((name) => `packages/${name}`)
  const files = [...owners, 'apps/playground'].flatMap((owner) =>
    readdirSync(new URL(`../../${owner}/test`, import.meta.url)),
  )
  for (const lane of lanes) expect(files).toContain(`conformance.${lane}.test.ts`)
})

it('finds script names in every form of the command', () => {
  expect(scriptsIn('npm test; npm start -- --quick; npm run -s fep-moe -- x; npm run check:onnx')).toEqual([
    'test',
    'start',
    'fep-moe',
    'check:onnx',
  ])
})

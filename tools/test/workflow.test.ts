import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const scripts = Object.keys(JSON.parse(read('package.json')).scripts)

/** The scripts that a text runs: `npm run [-s] NAME`, `npm test`, `npm start`. */
const scriptsIn = (text: string) =>
  [...text.matchAll(/\bnpm (?:run (?:-s |--silent )?([\w:-]+)|(test|start)\b)/g)].map(
    (match) => match[1] ?? match[2],
  )

describe.each(['.github/workflows/ci.yml', '.github/workflows/release.yml', 'CONTRIBUTING.md', 'README.md'])(
  '%s',
  (path) => {
    it('runs only scripts that package.json has', () => {
      for (const name of scriptsIn(read(path))) expect(scripts).toContain(name)
    })
  },
)

it('the workflow runs every lane of the local check', () => {
  const workflow = read('.github/workflows/ci.yml')
  expect(workflow).toContain('bash .ci/run')
  expect(scriptsIn(workflow)).toEqual(expect.arrayContaining(['test', 'fep-moe']))
})

it('a release is rehearsed, then published with provenance', () => {
  const workflow = read('.github/workflows/release.yml')
  const steps = ['npm run rehearse', 'changesets/action', 'npm run version', 'npm run release'].map((step) =>
    workflow.indexOf(step),
  )
  expect(steps).toEqual([...steps].sort((a, b) => a - b))
  expect(steps).not.toContain(-1)
  expect(workflow).toMatch(/id-token: write/)
  expect(workflow).toMatch(/NPM_CONFIG_PROVENANCE: "true"/)
})

it('all packages are published under one version, with the repository that provenance names', () => {
  const root = new URL('../../', import.meta.url)
  const folders = ['packages', 'apps'].flatMap((group) =>
    readdirSync(new URL(group, root)).map((name) => `${group}/${name}`),
  )
  const manifests = folders.map((folder) => ({ folder, ...JSON.parse(read(`${folder}/package.json`)) }))
  const published = manifests.filter((manifest) => !manifest.private)
  expect(new Set(published.map(({ version }) => version)).size).toBe(1)
  for (const manifest of published) {
    expect(manifest, manifest.name).toMatchObject({
      type: 'module',
      license: 'MIT',
      sideEffects: false,
      engines: { node: '^20.19.0 || >=22.12.0' },
      repository: { url: 'git+https://github.com/fep-moe/fep-moe.git', directory: manifest.folder },
      publishConfig: { access: 'public' },
      files: expect.arrayContaining(['dist']),
      keywords: expect.arrayContaining(['mixture-of-experts']),
    })
    expect(manifest.exports['./package.json'], manifest.name).toBe('./package.json')
    // A peer's minor release would be a major one of every package that has it.
    expect(manifest.peerDependencies ?? {}, manifest.name).not.toHaveProperty('@fep-moe/core')
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(manifest.scripts ?? {}, manifest.name).not.toHaveProperty(name)
  }
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

import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tools/conformance/longest-first.js'

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests run on sources, so a change in one package is seen by the tests of all others without a build. */
const alias = [
  { find: /^@fep-moe\/([^/]+)$/, replacement: join(root, 'packages/$1/src/index.ts') },
  { find: /^@fep-moe\/([^/]+)\/([^/.]+)$/, replacement: join(root, 'packages/$1/src/$2/index.ts') },
]

const inside = (group: string) => readdirSync(join(root, group)).map((name) => join(root, group, name))
const packages = [...inside('packages'), ...inside('apps'), join(root, 'tools')].filter((directory) =>
  existsSync(join(directory, 'test')),
)

/** Only where there are any: each project with type tests starts a compiler of its own. */
const hasTypeTests = (directory: string) =>
  readdirSync(join(directory, 'test'), { recursive: true }).some((file) => `${file}`.endsWith('.test-d.ts'))

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    maxWorkers: availableParallelism(), // the default leaves one processor idle, which is half of two
    projects: packages.map((directory) => ({
      root: directory,
      resolve: { alias },
      test: {
        name: basename(directory),
        include: ['test/**/*.test.ts'],
        pool: 'forks' as const, // native addons crash in worker threads
        testTimeout: 120_000, // no test is about time, and shared machines can be slow
        typecheck: {
          enabled: hasTypeTests(directory),
          include: ['test/**/*.test-d.ts'],
          tsconfig: join(root, 'tsconfig.json'),
          ignoreSourceErrors: true, // `npm run typecheck` reports those
        },
      },
    })),
  },
})

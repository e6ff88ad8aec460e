// A release in a copy of the workspace: versions and changelogs from the changesets, then every package to the registry.
// The same two commands as a real one; the checkout stays as it is.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bin, readJson, root, toolEnv, workspaceDirectories } from '../scripts/setup.mjs'
import { run } from './run.mjs'

/** What no tarball has. */
const LEFT_OUT = ['node_modules', 'src', 'test', 'bench', 'proto', 'etc']
const ROOT_FILES = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'LICENSE', '.changeset']

/**
 * Publishes all packages.
 * @param {{ env: NodeJS.ProcessEnv }} registry
 * @param {string} folder a folder that is not there yet
 * @returns {Promise<Record<string, string>>} the version of every published package, by its name
 */
export async function publishAll(registry, folder) {
  const directories = copyWorkspace(folder)
  const identity = { name: 'rehearsal', email: 'rehearsal@localhost' }
  const env = {
    ...registry.env,
    ...toolPaths(),
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
  }
  const at = { cwd: folder, env }
  for (const args of [
    ['init', '--quiet'],
    ['add', '.'],
    ['commit', '--quiet', '--no-verify', '-m', 'before the release'],
  ])
    await run('git', args, at)
  await run(process.execPath, [bin('changeset'), 'version'], at)
  await run(process.execPath, [bin('changeset'), 'publish', '--no-git-tag'], at)
  const manifests = directories.map((directory) => readJson(join(folder, directory, 'package.json')))
  return Object.fromEntries(manifests.filter((m) => !m.private).map(({ name, version }) => [name, version]))
}

/** The directory with pnpm comes first, as in every tool of the repository. */
function toolPaths() {
  const { PATH, Path } = toolEnv()
  return PATH ? { PATH } : { Path }
}

function copyWorkspace(folder) {
  const directories = workspaceDirectories()
  for (const path of [...ROOT_FILES, ...directories]) {
    const left = new Set(LEFT_OUT.map((name) => join(root, path, name)))
    const filter = (file) => !left.has(file)
    cpSync(join(root, path), join(folder, path), { recursive: true, filter })
  }
  linkWorkspace(folder, directories)
  return directories
}

function linkWorkspace(folder, directories) {
  const manifests = new Map(directories.map((path) => [path, readJson(join(folder, path, 'package.json'))]))
  for (const [path, { dependencies = {}, devDependencies = {} }] of manifests)
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const [target] = [...manifests].find(([, manifest]) => manifest.name === name) ?? []
      if (target === undefined) continue
      const link = join(folder, path, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(folder, target), link, 'junction')
    }
}

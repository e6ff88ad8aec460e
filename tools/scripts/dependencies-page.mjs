// docs/dependencies.md: every direct dependency of every package of the workspace, from the manifests and from what is
// installed; why it is there is in tools/dependencies/reasons.mjs.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { reasons } from '../dependencies/reasons.mjs'
import { readJson, root, workspaceDirectories } from './setup.mjs'

/** @typedef {{ name: string, folder: string, users: { name: string, kind: string, range: string }[] }} Dependency */

const workspace = ['.', ...workspaceDirectories()].map((directory) => ({
  directory,
  manifest: readJson(join(root, directory, 'package.json')),
}))

/** What a manifest says of a dependency, the strongest first. */
function kindsOf({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, ...rest }) {
  const optional = rest.peerDependenciesMeta ?? {}
  const of = (ranges, kind) => Object.entries(ranges).map(([name, range]) => ({ name, range, kind }))
  return [
    ...of(dependencies, 'dependency'),
    ...of(optionalDependencies, 'optional dependency'),
    ...of(peerDependencies, 'peer').map((peer) =>
      optional[peer.name]?.optional ? { ...peer, kind: 'optional peer' } : peer,
    ),
    ...of(rest.devDependencies ?? {}, 'development'),
  ]
}

/** @returns {Dependency[]} by name */
function collect() {
  const found = new Map()
  for (const { directory, manifest } of workspace)
    for (const { name, range, kind } of kindsOf(manifest)) {
      if (range.startsWith('workspace:')) continue
      const entry = found.get(name) ?? { name, users: [] }
      const folder = join(root, directory, 'node_modules', name)
      if (statSync(folder, { throwIfNoEntry: false })) entry.folder ??= folder
      entry.users.push({ name: manifest.name, private: manifest.private === true, kind, range })
      found.set(name, entry)
    }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What comes into a package's folder after it is installed: a runtime that is built there, notes of a type check. */
const ADDED = /^(?:node_modules|deps|napi-v\d+|.*\.tsbuildinfo)$/

/** Bytes of a package's own files. */
function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((bytes, entry) => {
    if (ADDED.test(entry.name)) return bytes
    const path = join(folder, entry.name)
    return bytes + (entry.isDirectory() ? bytesIn(path) : statSync(path).size)
  }, 0)
}

/** Two digits: what a package weighs, not what its installer leaves beside it. */
function size(bytes) {
  const [value, unit] = bytes >= 1e6 ? [bytes / 1e6, 'MB'] : [bytes / 1e3, 'kB']
  return `${Number(value.toPrecision(2))} ${unit}`
}

function row({ name, folder, users }) {
  const { license, version } = readJson(join(folder, 'package.json'))
  const kinds = new Map()
  for (const user of users) kinds.set(user.kind, [...(kinds.get(user.kind) ?? []), `\`${user.name}\``])
  const where = [...kinds].map(([kind, names]) => `${kind} of ${names.join(', ')}`).join('; ')
  return `| \`${name}\` | ${version} | ${license} | ${size(bytesIn(folder))} | ${reasons[name]} | ${where} |`
}

/** The page. @throws where a dependency has no reason or is not installed, or a reason no dependency */
export function dependenciesPage() {
  const all = collect()
  const names = new Set(all.map(({ name }) => name))
  const unexplained = all.filter(({ name }) => !reasons[name]).map(({ name }) => name)
  const gone = Object.keys(reasons).filter((name) => !names.has(name))
  if (unexplained.length + gone.length > 0)
    throw new Error(
      `tools/dependencies/reasons.mjs: no reason for ${unexplained.join(', ') || 'none'}; no dependency any more: ${gone.join(', ') || 'none'}`,
    )
  const shipped = ({ users }) => users.some((user) => !user.private && user.kind !== 'development')
  const table = (rows) => `| package | version here | licence | size | why | kind |
| --- | --- | --- | ---: | --- | --- |
${rows.map(row).join('\n')}`
  return `# Dependencies

Every direct dependency of every package, from the manifests and from what is installed (\`npm run docs\`). A size is that of the
package's own files, unpacked, without what it depends on. \`@fep-moe/core\` is a dependency of the other packages, never a peer,
and all of ours have one version.

## Of the published packages

Native runtimes are optional peers, loaded when a backend is opened; where one is not there, the error has the line that installs
it. No package of ours has an install script.

${table(all.filter(shipped))}

## Of the repository

${table(all.filter((dependency) => !shipped(dependency)))}

## Advisories

\`npm run audit\` asks the registry for advisories on everything that the published packages bring along, and CI runs it.
`
}

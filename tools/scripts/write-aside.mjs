// Files that appear whole or not at all.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file aside, then renames it into place. */
export function writeAside(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.tmp`, text)
  renameSync(`${path}.tmp`, path)
}

/** `text` with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced. */
export function between(text, name, content) {
  const [from, to] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const [start, end] = [text.indexOf(from), text.indexOf(to)]
  if (start < 0 || end < start) throw new Error(`the markers of '${name}' are missing`)
  return `${text.slice(0, start + from.length)}${content}\n${text.slice(end)}`
}

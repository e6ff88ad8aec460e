// Sizes of the packages, as docs/results/sizes.json keeps them and the README shows them. What packs and what bundles
// measures them on its way; a kept size that is more than 5 % off is stale.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from './setup.mjs'
import { writeAside } from './write-aside.mjs'

const kept = join(root, 'docs/results/sizes.json')
const TOLERANCE = 0.05

/**
 * Keeps sizes, or compares them with those that are kept.
 * @param {'packed' | 'bundled'} what
 * @param {Record<string, Record<string, number>>} sizes bytes by package and by what was measured
 * @param {{ write: boolean }} options
 * @returns {string[]} what is stale
 */
export function keepSizes(what, sizes, { write }) {
  const all = existsSync(kept) ? readJson(kept) : {}
  if (write) {
    writeAside(kept, `${JSON.stringify({ ...all, [what]: sizes }, null, 1)}\n`)
    return []
  }
  const names = new Set([...Object.keys(sizes), ...Object.keys(all[what] ?? {})])
  return [...names].flatMap((name) => {
    const [now, before] = [sizes[name] ?? {}, all[what]?.[name] ?? {}]
    const off = Object.keys({ ...now, ...before }).filter(
      (key) => !(Math.abs(now[key] - before[key]) <= TOLERANCE * before[key]),
    )
    return off.map(
      (key) => `${name}, ${key}: ${now[key]} bytes, kept: ${before[key]}. Run \`npm run sizes\`.`,
    )
  })
}

/** The README's table. */
export function sizesTable() {
  const { packed, bundled } = readJson(kept)
  const rows = Object.entries(packed).map(([name, { tarball, unpacked }]) => {
    const { load, all } = bundled[name] ?? {}
    const page = load === undefined ? ['', ''] : [kilobytes(load), kilobytes(all)]
    return `| ${[`\`${name}\``, kilobytes(tarball), kilobytes(unpacked), ...page].join(' | ')} |`
  })
  return `| package | packed | installed | in a page, at load | with what loads on demand |
| --- | ---: | ---: | ---: | ---: |
${rows.join('\n')}`
}

const kilobytes = (bytes) => `${Math.round(bytes / 1000).toLocaleString('en-US')} kB`

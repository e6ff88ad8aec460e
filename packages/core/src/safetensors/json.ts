/**
 * What `JSON.parse` lets through and a header must not have: keys that stand twice in one object, of which the parser
 * would silently keep the last, and nesting that no header needs.
 */

/** A header is an object of objects of lists. */
const DEEPEST = 3

const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, END, COMMA] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c]

/** @returns why the text is refused; undefined where nothing speaks against it, malformed text included */
export function suspicion(text: string): string | undefined {
  const objects: (Set<string> | undefined)[] = []
  // In an object, a string is a key where it follows `{` or a comma.
  let keyNext = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) {
      const end = closingQuote(text, i)
      if (end < 0) return undefined
      const keys = objects.at(-1)
      if (keyNext && keys) {
        const key = unescaped(text.slice(i, end + 1))
        if (key === undefined) return undefined
        if (keys.has(key)) return `holds the key '${key.slice(0, 80)}' twice`
        keys.add(key)
      }
      keyNext = false
      i = end
    } else if (c === OPEN || c === LIST) {
      if (objects.length === DEEPEST) return `is nested deeper than ${DEEPEST} levels`
      objects.push(c === OPEN ? new Set() : undefined)
      keyNext = c === OPEN
    } else if (c === CLOSE || c === END) {
      objects.pop()
      keyNext = false
    } else if (c === COMMA) keyNext = objects.at(-1) !== undefined
  }
  return undefined
}

function closingQuote(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === QUOTE) return i
    if (c === BACKSLASH) i++
  }
  return -1
}

function unescaped(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return JSON.parse(literal) as string
  } catch {
    return undefined
  }
}

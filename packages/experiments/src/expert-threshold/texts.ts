/**
 * The texts of the experiment: excerpts of a novel («Moby Dick»), of speeches (State of the Union addresses before 1900) and
 * of verses (King James Version), as bytes. All are in the public domain; NOTICE says where they come from. Node only.
 */
import { FepError } from '@fep-moe/core'

/** SHA-256 of the file: finished runs are kept under the code that made them, and the text is part of it. */
export const TEXTS_DIGEST = '1c649b42b1f1c0c83701a9b1612171f45c33939ebe8a71b801eebbd184f4aeeb'

/** Names of the sources. */
export const SOURCES = ['novel', 'speeches', 'verses'] as const

/** A source of text. */
export type SourceName = (typeof SOURCES)[number]

/** One source, cut in two. */
export interface SplitText {
  readonly training: Uint8Array
  /** Every tenth block of the source: text that no training sees. */
  readonly heldOut: Uint8Array
}

/** Bytes that stay together when a source is cut. */
const BLOCK = 4096
/** One block in so many is held out. */
const EVERY = 10

/** Cuts a source into blocks, and holds every tenth of them out. */
export function splitText(bytes: Uint8Array): SplitText {
  const blocks = Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, i) =>
    bytes.subarray(i * BLOCK, (i + 1) * BLOCK),
  )
  const joined = (wanted: (i: number) => boolean) =>
    Uint8Array.from(blocks.filter((_, i) => wanted(i)).flatMap((block) => Array.from(block)))
  const held = (i: number) => i % EVERY === EVERY - 1
  return { training: joined((i) => !held(i)), heldOut: joined(held) }
}

let known: Promise<Readonly<Record<SourceName, SplitText>>> | undefined

/** All sources, read once per process. @throws FEP_IO where the file that comes with this package cannot be read */
export function readTexts(): Promise<Readonly<Record<SourceName, SplitText>>> {
  known ??= load()
  return known
}

async function load(): Promise<Readonly<Record<SourceName, SplitText>>> {
  const file = new URL('../../data/texts.json.br', import.meta.url)
  try {
    // Loaded here and not above: pages use other parts of this package.
    const [{ readFile }, { brotliDecompressSync }] = await Promise.all([
      import('node:fs/promises'),
      import('node:zlib'),
    ])
    const texts: Record<SourceName, string> = JSON.parse(
      brotliDecompressSync(await readFile(file)).toString('utf8'),
    )
    const encoder = new TextEncoder()
    const split = SOURCES.map((name) => [name, splitText(encoder.encode(texts[name]))] as const)
    return Object.fromEntries(split) as Record<SourceName, SplitText>
  } catch (error) {
    throw new FepError('FEP_IO', `cannot read the texts in ${file.pathname}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

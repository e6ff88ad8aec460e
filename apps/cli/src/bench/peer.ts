/**
 * Measurements of a peer, another program that does the same work or another run of this one, and ratios to them. A peer is a
 * file of JSON lines: `what` was measured, fields that say of what (condition, d, experts, …), and times in microseconds.
 */
import { readFileSync } from 'node:fs'
import { FepError, schemas } from '@fep-moe/core'
import type { Table } from '@fep-moe/experiments'
import * as v from 'valibot'

const field = v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(v.number())])
const lineSchema = v.objectWithRest({ what: v.string() }, field)

/** One line of a peer. */
export type PeerLine = v.InferOutput<typeof lineSchema>

/** A field by which a line is recognized: it must be equal where the peer's line has it. */
export type Identity = Readonly<Record<string, string | number>>

/**
 * Reads a peer's file; empty lines are skipped. A training step of no named experiment is the ablation's.
 * @throws FEP_IO where it cannot be read, FEP_BAD_ARGUMENT naming line and field
 */
export function readPeer(path: string): PeerLine[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new FepError('FEP_IO', `cannot read --peer ${path}: ${(error as Error).message}`, { cause: error })
  }
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const name = `${path} line ${i + 1}`
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (error) {
      throw new FepError('FEP_BAD_ARGUMENT', `${name} is no JSON: ${(error as Error).message}`, {
        cause: error,
      })
    }
    const one = schemas.parse(lineSchema, value, name, 'FEP_BAD_ARGUMENT')
    return [one.what === 'train' ? { experiment: 'ablation', ...one } : one]
  })
}

/** Where a peer says a figure. */
export interface PeerField {
  readonly what: string
  readonly identity: Identity
  /** Name of the field, such as `p50_us`. */
  readonly field: string
}

/** A figure of ours that a peer may have too. */
export interface Comparable {
  readonly value: number
  /** The first of these that the peer has is what ours meets. */
  readonly peer: readonly PeerField[]
  /** Decimals of the peer's figure in a table. Default 0. */
  readonly digits?: number
}

/** The peer's figure; the last one of a list, which is the latest. Undefined where no line says it. */
export function peerFigure(
  lines: readonly PeerLine[],
  { what, identity, field }: PeerField,
): number | undefined {
  const line = lines.find(
    (one) =>
      one.what === what &&
      field in one &&
      Object.entries(identity).every(([key, value]) => !(key in one) || one[key] === value),
  )
  const found = line?.[field]
  const figure = Array.isArray(found) ? found.at(-1) : found
  return typeof figure === 'number' && figure > 0 ? figure : undefined
}

/**
 * A table with the peer's figures and ratios (ours / peer) as further columns; the table itself where there is no peer.
 * @param compared one list per row, in which every figure goes with one of `headings`
 */
export function withPeer(
  table: Table,
  peer: readonly PeerLine[] | undefined,
  headings: readonly string[],
  compared: readonly (readonly Comparable[])[],
): Table {
  if (!peer) return table
  const first = (fields: readonly PeerField[]) =>
    fields.map((field) => peerFigure(peer, field)).find((figure) => figure !== undefined)
  const figures = compared.map((row) => row.map((ours) => ({ ours, theirs: first(ours.peer) })))
  const none = figures.flat().every(({ theirs }) => theirs === undefined)
  return {
    ...table,
    columns: [...table.columns, ...headings.flatMap((name) => [`peer ${name}`, 'ratio'])],
    rows: table.rows.map((cells, i) => [
      ...cells,
      ...(figures[i] ?? []).flatMap(({ ours, theirs }) =>
        theirs === undefined
          ? ['', '']
          : [theirs.toFixed(ours.digits ?? 0), (ours.value / theirs).toPrecision(2)],
      ),
    ]),
    notes: [
      ...(table.notes ?? []),
      none ? 'The peer has measured nothing of this.' : 'ratio: ours / peer; below 1 ours is less.',
    ],
  }
}

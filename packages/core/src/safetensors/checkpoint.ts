/**
 * Checkpoints of a training as files: safetensors, so other tools read the parameters too (`params.W.weight`), with the
 * counters and whatever JSON the caller keeps in the file's free text, and a checksum over all of it.
 */
import * as v from 'valibot'
import { FepError, show } from '../errors.js'
import { integerFrom, parse } from '../schema.js'
import type { Tensor } from '../tensor.js'
import type { TrainerState } from '../training/state.js'
import { crc32 } from './crc32.js'
import { badFile } from './header.js'
import { readSafetensors } from './read.js'
import { toUtf8 } from './text.js'
import { writeSafetensors } from './write.js'

/** JSON, as `JSON.stringify` takes it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** What is kept of a training. */
export interface Checkpoint {
  readonly trainer: TrainerState
  /**
   * What the caller needs to go on: states of precision trackers, seeds and positions of random streams, step counters.
   * Numbers come back with the same bits, except −0, which comes back as 0. Default null.
   */
  readonly extra?: Json
}

const VERSION = 1
const counts = v.strictObject({
  version: v.literal(VERSION),
  optimizer: v.string(),
  updates: integerFrom(0, Number.MAX_SAFE_INTEGER),
  pending: integerFrom(0, Number.MAX_SAFE_INTEGER),
})

/**
 * The bytes of a checkpoint. Values are stored in single precision, which every executor but the float64 reference has.
 * @throws FEP_BAD_ARGUMENT where `extra` is no JSON, or holds a number that is not finite
 * @example
 * const bytes = encodeCheckpoint({ trainer: await trainer.checkpoint(), extra: { position: stream.position } })
 * const { trainer: state, extra } = decodeCheckpoint(bytes)
 * await trainer.restore(state)
 */
export function encodeCheckpoint({ trainer, extra = null }: Checkpoint): Uint8Array<ArrayBuffer> {
  const { params, optimizer, state, gradients, updates, pending, carried = {} } = trainer
  const tensors = {
    ...prefixed('params.', params),
    ...prefixed('optimizer.', state),
    ...prefixed('carried.', carried),
  }
  if (gradients) Object.assign(tensors, { gradients })
  const metadata = {
    format: 'pt',
    training: JSON.stringify({ version: VERSION, optimizer, updates, pending }),
    extra: jsonOf(extra),
  }
  return writeSafetensors(tensors, { metadata: { ...metadata, crc32: checksum(tensors, metadata) } })
}

/**
 * Reads a checkpoint back.
 * @param options `name` stands in errors. Default `checkpoint`.
 * @throws FEP_BAD_FILE where a bit of it is not what was written
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  { name = 'checkpoint' }: { readonly name?: string } = {},
): Required<Checkpoint> {
  const { tensors, metadata } = readSafetensors(bytes, { name })
  const { crc32: found, ...rest } = metadata
  const { training, extra } = metadata
  if (training === undefined || extra === undefined || found === undefined)
    throw badFile(name, 'is no checkpoint: its metadata lack training, extra or crc32')
  const expected = checksum(tensors, rest)
  if (found !== expected)
    throw badFile(name, `has the checksum ${expected}, but ${show(found)} was written: it is damaged`)
  const { optimizer, updates, pending } = parse(
    counts,
    json(training, name),
    `${name}: training`,
    'FEP_BAD_FILE',
  )
  const group = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([key, t]) =>
        key.startsWith(prefix) ? [[key.slice(prefix.length), t]] : [],
      ),
    )
  const { gradients } = tensors
  const carried = group('carried.')
  return {
    trainer: {
      params: group('params.'),
      optimizer,
      state: group('optimizer.'),
      updates,
      pending,
      ...(gradients ? { gradients } : {}),
      ...(Object.keys(carried).length > 0 ? { carried } : {}),
    },
    extra: json(extra, name) as Json,
  }
}

const prefixed = (prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]))

/** Over names, shapes, elements and texts, in an order that does not depend on the file. */
function checksum(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): string {
  const sorted = <T>(entries: Readonly<Record<string, T>>) =>
    Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))
  const described = sorted(tensors).map(([name, { dtype, shape }]) => [name, dtype, shape])
  const parts = sorted(tensors).map(([, { data }]) => {
    const stored = data instanceof Float64Array ? Float32Array.from(data) : data
    return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
  })
  const head = toUtf8(JSON.stringify([sorted(metadata), described]))
  return crc32(head, ...parts)
    .toString(16)
    .padStart(8, '0')
}

function jsonOf(extra: Json): string {
  const text = JSON.stringify(extra, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new FepError('FEP_BAD_ARGUMENT', `checkpoint: extra.${key} is ${value}; accepted: finite numbers`)
    return value
  })
  if (text === undefined)
    throw new FepError('FEP_BAD_ARGUMENT', `checkpoint: extra is ${show(extra)}; accepted: JSON`)
  return text
}

function json(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badFile(name, `has metadata that are not JSON: ${(error as Error).message}`, error)
  }
}

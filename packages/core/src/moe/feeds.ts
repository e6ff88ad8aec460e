/** What a call of a layer feeds beside parameters, checked; and how its number of rows is found. */
import type { Feed, Fetches } from '../backend/contract.js'
import { takeAll, toHost } from '../backend/host-tensor.js'
import { FepError } from '../errors.js'
import { checkTokens, precisionFeed } from '../gates/edge.js'
import type { PrecisionState } from '../gates/precision.js'
import { checkShares, type PolicyInputs, policyFeeds } from '../policies/carried.js'
import type { Tensor } from '../tensor.js'
import type { ResolvedMoeLayer } from './config.js'
import type { MoeLayerForm } from './graph.js'
import type { MoeLayerDetails } from './layer.js'
import { type RowBound, type RowLadder, rowBound } from './rows.js'

/** What goes into a layer beside tokens. */
export interface MoeLayerInputs extends PolicyInputs {
  /** Π, as for `gate.route`. */
  readonly precision?: Tensor | PrecisionState
  /** Errors of experts (B,T,E), as for `gate.route`, where the gate tracks precision. */
  readonly feedback?: Tensor
  /** bool (B,T): a new document starts here. */
  readonly reset?: Tensor
}

/** A call, ready to be compiled and run. */
export interface MoeLayerCall {
  /** Without its rows. */
  readonly form: MoeLayerForm
  readonly bound: RowBound
  readonly feeds: Record<string, Feed>
}

/** @throws FEP_BAD_FEED, FEP_TOO_FEW_TOKENS, FEP_UNSUPPORTED */
export function readCall(
  model: ResolvedMoeLayer,
  x: Tensor,
  inputs: MoeLayerInputs,
  training: boolean,
): MoeLayerCall {
  const { gate, policy } = model
  checkTokens(x, gate.dim, 3)
  const [batch, steps] = x.shape as [number, number]
  if (batch * steps === 0)
    throw new FepError(
      'FEP_BAD_FEED',
      `tokens are float32(${x.shape.join(', ')}); a layer takes at least one token`,
    )
  const { precision, feedback, reset, valid } = inputs
  const feeds: Record<string, Feed> = {
    ...policyFeeds(policy, inputs),
    x,
    ...precisionFeed(gate, precision, [batch, steps], 'batch-major', feedback),
    ...(reset ? { reset } : {}),
  }
  checkShares(policy, [batch, steps], valid, training)
  return {
    form: { batch, steps, training, reset: reset !== undefined, valid: valid !== undefined },
    bound: rowBound(policy, { batch, steps, training }),
    feeds,
  }
}

/** Names a form among programs. */
export const keyOf = (form: MoeLayerForm): string => JSON.stringify(form)

/**
 * The rung that a run should have had, where it had too few rows.
 * @param used rows that it had
 */
export async function missedRung(
  ladder: RowLadder,
  { form, bound }: Pick<MoeLayerCall, 'form' | 'bound'>,
  used: number | undefined,
  { load }: Fetches,
): Promise<number | undefined> {
  if (bound.kind !== 'open' || !load) return undefined
  const { data } = await toHost(load)
  let pairs = 0
  for (const n of data) pairs += n
  return ladder.missed(keyOf(form), bound, used, pairs)
}

/** Runs a call, and again where it had too few rows. Host tensors. */
export async function runFitting(
  model: ResolvedMoeLayer,
  ladder: RowLadder,
  x: Tensor,
  inputs: MoeLayerInputs,
  run: (form: MoeLayerForm, feeds: Record<string, Feed>) => Promise<Fetches>,
): Promise<MoeLayerDetails> {
  const call = readCall(model, x, inputs, false)
  for (;;) {
    const form = { ...call.form, rows: ladder.rows(keyOf(call.form), call.bound) }
    const fetched = await run(form, call.feeds)
    if ((await missedRung(ladder, call, form.rows, fetched)) === undefined)
      return (await takeAll(fetched)) as unknown as MoeLayerDetails
    for (const t of Object.values(fetched)) t.dispose()
  }
}

/** `--check`: what it compares, and that it fails where there is nothing to compare. */
import type { JudgedClaim, SummaryRow, Verdict } from '@fep-moe/experiments'
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest'
import { checkAll } from '../src/reproduce/check.js'
import type { Finished } from '../src/reproduce/publish.js'

let said: MockInstance
beforeEach(() => {
  said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => said.mockRestore())

const claim = (recorded: Verdict, verdict: Verdict | null) =>
  ({ id: 'e.c', recorded, verdict }) as JudgedClaim
const row = (agreement: SummaryRow['agreement']) =>
  ({
    condition: 'c',
    metric: 'm',
    ours: { mean: 1, std: 0, n: 2 },
    published: { mean: 2, std: 0, n: 2 },
    agreement,
  }) as SummaryRow
const finished = (rows: readonly SummaryRow[], claims: readonly JudgedClaim[]) =>
  ({ results: { experiment: 'e', summary: rows }, report: { claims } }) as unknown as Finished

describe('--check', () => {
  it.each<[string, number, SummaryRow[], JudgedClaim[]]>([
    ['figures that agree', 0, [row('agrees')], []],
    ['a figure that differs', 1, [row('agrees'), row('differs')], []],
    ['figures that cannot be decided', 0, [row('not decidable')], []],
    ['verdicts on record', 0, [row(null)], [claim('holds', 'holds'), claim('differs', 'differs')]],
    ['another verdict', 1, [row(null)], [claim('holds', 'differs')]],
    ['a verdict that cannot be reached', 1, [row(null)], [claim('holds', null)]],
    ['a verdict that so few runs cannot decide', 0, [row(null)], [claim('holds', 'not decidable')]],
    ['claims of figures that were judged', 0, [row('agrees')], [claim('holds', 'differs')]],
    ['nothing published, no verdict on record', 1, [row(null)], [claim('not tested', 'holds')]],
    ['conditions that were left out', 1, [row(null)], [claim('holds', 'not tested')]],
  ])('%s', (_, status, rows, claims) => {
    expect(checkAll([finished(rows, claims)])).toBe(status)
    expect(said).toHaveBeenCalledOnce()
  })
})

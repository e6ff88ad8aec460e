/** The whole page about conformance: docs/conformance.md, and what the command prints. */
import type { LaneSummary } from './lane.js'
import {
  capabilitiesTable,
  declarations,
  expectedFailuresList,
  type MissingLane,
  matrixTable,
  missingList,
} from './markdown.js'
import { officialTable } from './official.js'

/** What the page is made of. */
export interface PageContent {
  readonly lanes: readonly LaneSummary[]
  readonly missing?: readonly MissingLane[]
}

/** Renders the page as Markdown, without a trailing line break. */
export function conformancePage({ lanes, missing = [] }: PageContent): string {
  const absent = missingList(missing)
  return `# Conformance

Executors down, groups of cases across. A bare number is that many cases, all of which passed. Cases, tolerances and
seeds are the same for every executor; where one declares an error beyond rounding, what that error makes of the case
is added to the tolerance.

${matrixTable(lanes)}${absent ? `\n\n${absent}` : ''}

| group | what it holds an executor to |
| --- | --- |
| operators | values worked out without the reference: edge shapes, broadcasting, ties, integers |
| official | the node test vectors of the ONNX project |
| gradients | finite differences in double precision, through the graph's own gradients |
| golden | vectors from the papers' PyTorch code: forward, gradients, parameters after five Adam steps |
| gates | streaming, resets, training, vector-Jacobian products |
| properties | random gates through the public API: causal, batch-invariant, permutation-equivariant, pure, repeatable |
| fuzz | random graphs and gates, eight to a case, against the double-precision reference, within an error bound of their own |
| non-finite | NaN and infinity, and that gates stay finite |
| lifecycle | disposal, bad feeds, thousands of runs, two programs at once |

## Expected failures

${expectedFailuresList(lanes)}

## What the executors declare

${capabilitiesTable(lanes)}

${declarations(lanes)}

## The official ONNX vectors

${officialTable()}`
}

/**
 * Figures in prose that name where they come from: `.296 (`ablation/beta/accuracyTransition`)` is the mean of that summary
 * row of docs/results/ablation.json, to the digits that are printed; `bound:NAME` in place of a condition is a bound.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseResults } from '@fep-moe/experiments'
import { read, root } from './markdown.js'

/** A figure as it is printed, and the one it is taken from; null where there is none. */
export interface Figure {
  readonly at: string
  readonly printed: string
  readonly kept: number | null
}

const kept = new Map<string, ReturnType<typeof parseResults> | null>()

function resultsOf(experiment: string) {
  if (!kept.has(experiment)) {
    const path = `docs/results/${experiment}.json`
    kept.set(experiment, existsSync(join(root, path)) ? parseResults(JSON.parse(read(path))) : null)
  }
  return kept.get(experiment)
}

function keptValue(experiment: string, condition: string, metric: string): number | null {
  const results = resultsOf(experiment)
  if (!results) return null
  const { bounds, summary } = results
  if (condition.startsWith('bound:'))
    return bounds.find((b) => b.name === condition.slice(6) && b.metric === metric)?.value ?? null
  return summary.find((r) => r.condition === condition && r.metric === metric)?.ours?.mean ?? null
}

/** Every figure of a text that names its source. */
export const figuresIn = (text: string): Figure[] =>
  [...text.matchAll(/([−-]?\d*\.?\d+)(?: ± \.?\d[\d.]*)?\s+\(`([\w-]+)\/([^`/]+)\/(\w+)`\)/g)].map(
    ([, printed, experiment, condition, metric]) => ({
      at: `${experiment}/${condition}/${metric}`,
      printed: (printed as string).replace('−', '-'),
      kept: keptValue(experiment as string, condition as string, metric as string),
    }),
  )

/** Whether a printed figure is the kept one, rounded. */
export function isRounded({ printed, kept }: Figure): boolean {
  if (kept === null) return false
  const digits = printed.split('.')[1]?.length ?? 0
  return Math.abs(Number(printed) - kept) <= 0.5 * 10 ** -digits + 1e-12
}

/** Random graphs on a backend. */
import { type Backend, type Capabilities, type OpName, printGraph } from '@fep-moe/core'
import { boundsOf } from '../bounds/evaluate.js'
import { noComparison } from '../compare.js'
import { excluded, holdAgainst, isExcluded, type Subject, showTensor } from '../subject.js'
import { assemble } from './assemble.js'
import { type Recipe, recipes } from './recipe.js'
import { excludedBy } from './table.js'

const known = new WeakMap<Capabilities, ReadonlySet<OpName>>()

function without({ capabilities }: Backend): ReadonlySet<OpName> {
  const excludedOps = known.get(capabilities) ?? excludedBy(capabilities)
  known.set(capabilities, excludedOps)
  return excludedOps
}

/** See the file's header. */
export const randomGraphs: Subject<Recipe> = {
  recipes,
  check: async (recipe, backend) => {
    const { capabilities } = backend
    const { graph, given, feeds, batch } = assemble(recipe, without(backend))
    if (isExcluded(given, capabilities)) return excluded
    const { results, evaluation } = boundsOf(graph, feeds, batch, capabilities.accuracy)
    const comparison = noComparison()
    const program = await backend.compile(given)
    try {
      const fetched = await program.run(feeds)
      await holdAgainst(comparison, fetched, results)
      for (const t of Object.values(fetched)) t.dispose()
    } finally {
      program.dispose()
    }
    return { excluded: false, comparison, closest: evaluation.closest }
  },
  show: (recipe, backend) => {
    const { given, feeds, batch } = assemble(recipe, without(backend))
    const lines = Object.entries(feeds).map(([name, t]) => `  ${showTensor(name, t)}`)
    return [printGraph(given), `feeds, batch = ${batch}`, ...lines].join('\n')
  },
}

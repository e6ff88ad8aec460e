/** Pass: gives inputs their values, so that an executor can prepare them once (pack a matrix, upload a table). */
import { FepError } from '../errors.js'
import { formatInfo, sameShape } from '../graph/shape.js'
import type { Graph, ValueInfo } from '../graph/types.js'
import type { Tensor } from '../tensor.js'
import { rewrite } from './rewrite.js'

/**
 * Turns inputs into literals; the rest stay inputs. The tensors are copied.
 * @param values tensors by input name, each of the input's dtype and (numeric) shape
 * @throws FEP_BAD_ARGUMENT for an unknown name or another type
 */
export function bindInputs(graph: Graph, values: Readonly<Record<string, Tensor>>): Graph {
  for (const [name, { dtype, shape }] of Object.entries(values)) {
    const info = graph.inputs.includes(name) ? (graph.values[name] as ValueInfo) : undefined
    if (info?.dtype !== dtype || !sameShape(info.shape, shape))
      throw new FepError(
        'FEP_BAD_ARGUMENT',
        `bindInputs: '${name}' is ${formatInfo({ dtype, shape })}; graph '${graph.name}' ${info ? `has ${formatInfo(info)}` : `has the inputs ${graph.inputs.join(', ')}`}`,
      )
  }
  return rewrite(graph, { literals: values })
}

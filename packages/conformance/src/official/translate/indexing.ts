/** Gathers, scatters and top-k. */
import { ops } from '@fep-moe/core'
import { type Call, refuse, type Translations } from '../call.js'

/** Our scatters add. */
function mustAdd(call: Call): void {
  const reduction = call.text('reduction', 'none')
  if (reduction !== 'add') refuse(`reduction = ${reduction}; ours adds`)
}

export const indexing: Translations = {
  Gather: (call) => [ops.gather(call.value(0), call.value(1), call.number('axis', 0))],
  GatherElements: (call) => [ops.gatherElements(call.value(0), call.value(1), call.number('axis', 0))],
  ScatterND: (call) => {
    mustAdd(call)
    if (call.info(1).shape.at(-1) !== 1) refuse('indices of more than one axis')
    return [ops.scatterAdd(call.value(0), call.value(1), call.value(2))]
  },
  ScatterElements: (call) => {
    mustAdd(call)
    return [ops.scatterElementsAdd(call.value(0), call.value(1), call.value(2), call.number('axis', 0))]
  },
  TopK: (call) => {
    if (call.number('largest', 1) === 0) refuse('largest = 0; ours takes the largest')
    const { values, indices } = ops.topk(call.value(0), call.numbers(1)[0] as number, call.number('axis', -1))
    return [values, indices]
  },
}

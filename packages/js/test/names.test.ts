import { ops, referenceBackend, type Value } from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'
import { expect, it } from 'vitest'
import { feedsOf, graphOf } from './graphs.js'

/** Many Scans, constants and temporaries in one kernel: no name of a kernel may hide one of the module. */
it('variables of a kernel never hide arrays, constants or steps', async () => {
  const body = graphOf({ h: [3], x: [3] }, ({ h, x }) => {
    const table = (shift: number) => (h as Value).builder.constant([shift, 2, 3], [3])
    let next = ops.add(h as Value, x as Value)
    for (let i = 0; i < 4; i++) next = ops.mul(ops.gelu(ops.sigmoid(ops.add(next, table(i)))), table(i + 9))
    return { h: next, y: next }
  })
  const graph = graphOf({ h: [3], xs: [4, 3] }, ({ h, xs }) => {
    let [state, ys] = [h as Value, xs as Value]
    for (let i = 0; i < 5; i++) {
      const { last, ys: out } = ops.scan(body, { init: [state], xs: [ys] }, { axis: 0 })
      ;[state, ys] = [last[0] as Value, out[0] as Value]
    }
    return { state, ys }
  })
  const results = []
  for (const make of [jsBackend, referenceBackend]) {
    const program = await (await make()).compile(graph)
    const { state, ys } = await program.run(feedsOf(graph))
    results.push([state?.readSync?.(), ys?.readSync?.()])
  }
  expect(results[0]).toEqual(results[1])
})

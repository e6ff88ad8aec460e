// Tokens come one at a time, from many sequences at once, as a server sees them. A stream keeps the state of each.
import { createGate, preset, random, tensor } from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'

const [dim, experts, sequences] = [16, 8, 4]
const gate = createGate({ ...preset('paper-a/additive', { dim, experts }), select: { kind: 'top-k', k: 2 } })
const params = gate.init({ seed: 42 })
const backend = await jsBackend()
const stream = await gate.stream(backend, params, { batch: sequences })

const tokens = random(7, 'tokens')
const x = tensor(new Float32Array(sequences * dim), [sequences, dim])
for (let t = 0; t < 6; t++) {
  tokens.fillNormal(x.data)
  const { indices, weights, next } = await stream.step(x)
  const chosen = Array.from({ length: sequences }, (_, s) => {
    const [a, b] = indices.data.subarray(2 * s, 2 * s + 2)
    return `${a} (${weights.data[s * experts + a].toFixed(2)}), ${b} (${weights.data[s * experts + b].toFixed(2)})`
  })
  // `next` is a distribution over the experts of the token that has not come yet: the one to load in advance.
  const likely = next.data.subarray(0, experts)
  console.log(`t=${t}  ${chosen.join(' | ')}  sequence 0 next: ${likely.indexOf(Math.max(...likely))}`)
}

// Sequence 2 ended: another one takes its row. A snapshot moves sequences to another process.
await stream.reset([2])
const state = await stream.snapshot()
console.log(
  'state kept between tokens:',
  Object.entries(state)
    .map(([name, t]) => `${name} (${t.shape})`)
    .join(', '),
)
stream.dispose()
await backend.dispose()

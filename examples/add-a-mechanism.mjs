// A mechanism of your own in one file: a memory that decides by the token how much it keeps,
//   a_t = σ(U x_t + c),  h_t = a_t ⊙ h_{t−1} + (1 − a_t) ⊙ x_t,  z_t = W h_t + b.
// It is a graph of operators that every backend has, so it streams, trains and exports without touching one.
import {
  adam,
  crossEntropy,
  GraphBuilder,
  gradients,
  ops,
  optimize,
  random,
  takeAll,
  tensor,
  zeros,
} from '@fep-moe/core'
import { applyOptimizer, stateName } from '@fep-moe/core/training'
import { jsBackend } from '@fep-moe/js'
import { toOnnx } from '@fep-moe/onnx'

const [dim, experts] = [8, 4]
const shapes = {
  'keep.weight': [dim, dim],
  'keep.bias': [dim],
  'W.weight': [experts, dim],
  'W.bias': [experts],
}
const names = Object.keys(shapes)

/** One definition for sequences and for single tokens: (B,T,d), and the state before it (B,1,d). */
function selectiveMemory(steps, { loss = false } = {}) {
  const builder = new GraphBuilder('selective-memory')
  const x = builder.input('x', 'float32', ['batch', steps, dim])
  const h0 = builder.input('h0', 'float32', ['batch', 1, dim])
  const params = Object.fromEntries(names.map((name) => [name, builder.input(name, 'float32', shapes[name])]))
  const keep = ops.sigmoid(ops.linear(x, params['keep.weight'], params['keep.bias']))
  const { h, last } = ops.linearScan(keep, ops.mul(ops.sub(1, keep), x), h0, { axis: 1 })
  const logits = ops.linear(h, params['W.weight'], params['W.bias'])
  builder.output('logits', logits)
  builder.output('h', last)
  if (loss) builder.output('loss', crossEntropy(logits, builder.input('targets', 'int32', ['batch', steps])))
  return builder.build()
}

const backend = await jsBackend()
const draw = random(1, 'parameters')
let params = Object.fromEntries(
  names.map((name) => {
    const p = zeros(shapes[name])
    if (name.endsWith('weight')) draw.fillNormal(p.data, 0, 0.3)
    return [name, p]
  }),
)

// Train: the expert is told by the first token alone, which the memory must learn to keep.
const [batch, steps] = [64, 10]
const h0 = zeros([batch, 1, dim])
const optimizer = adam({ lr: 0.02 })
const forward = selectiveMemory(steps, { loss: true })
const training = await backend.compile(
  optimize(applyOptimizer(gradients(forward, { of: 'loss', wrt: names }), optimizer, names)),
)
let state = Object.fromEntries(
  names.flatMap((name) =>
    optimizer.state.map((s) => [
      stateName(optimizer, s.name, name),
      zeros(s.shape === 'scalar' ? [] : shapes[name]),
    ]),
  ),
)
const data = random(1, 'data')
function sample() {
  const [x, targets] = [
    tensor(new Float32Array(batch * steps * dim), [batch, steps, dim]),
    tensor(new Int32Array(batch * steps), [batch, steps]),
  ]
  data.fillNormal(x.data, 0, 0.3)
  for (let b = 0; b < batch; b++) {
    const expert = Math.floor(data.uniform() * experts)
    x.data[b * steps * dim + expert] += 3
    targets.data.fill(expert, b * steps, (b + 1) * steps)
  }
  return { x, targets }
}
let loss
for (let step = 0; step < 400; step++) {
  const results = await takeAll(
    await training.run({
      ...sample(),
      ...params,
      ...state,
      h0,
      lr: tensor(new Float32Array([optimizer.lr]), []),
    }),
  )
  params = Object.fromEntries(names.map((name) => [name, results[name]]))
  state = Object.fromEntries(Object.keys(state).map((name) => [name, results[name]]))
  loss = results.loss.data[0]
  if (step % 100 === 0) console.log(`step ${step}: loss ${loss.toFixed(3)}`)
}

// Route, as a sequence and one token at a time: the same numbers.
const { x } = sample()
const sequence = await backend.compile(optimize(selectiveMemory(steps)))
const whole = await takeAll(await sequence.run({ x, h0, ...params }))
const single = await backend.compile(optimize(selectiveMemory(1)))
let [h, largest] = [h0, 0]
for (let t = 0; t < steps; t++) {
  const token = tensor(new Float32Array(batch * dim), [batch, 1, dim])
  for (let b = 0; b < batch; b++)
    token.data.set(x.data.subarray((b * steps + t) * dim, (b * steps + t + 1) * dim), b * dim)
  const out = await takeAll(await single.run({ x: token, h0: h, ...params }))
  h = out.h
  for (let b = 0; b < batch; b++)
    for (let e = 0; e < experts; e++)
      largest = Math.max(
        largest,
        Math.abs(out.logits.data[b * experts + e] - whole.logits.data[(b * steps + t) * experts + e]),
      )
}
console.log(
  `loss ${loss.toFixed(3)}, streaming differs by at most ${largest.toExponential(0)}, ${toOnnx(selectiveMemory(1)).length} bytes of ONNX`,
)
await backend.dispose()
process.exitCode = loss < 0.5 && largest < 1e-4 ? 0 : 1

// A mixture of two linear experts in TensorFlow.js, whose gate is one of ours: tfjs has the experts and the loss, the gate
// gives weights and takes gradients back (`gate.vjp`). Both learn together.
import { createGate, tensor } from '@fep-moe/core'
import { jsBackend } from '@fep-moe/js'
import * as tf from '@tensorflow/tfjs'

tf.env().set('PROD', true)
await tf.setBackend('cpu')
const [batch, steps, dim, experts] = [32, 6, 4, 2]
const gate = createGate({ dim, experts, memory: { kind: 'leaky', beta: 0.5 } })
const executor = await jsBackend()

// Parameters of the gate are variables of tfjs, so one optimizer serves gate and experts.
const router = Object.fromEntries(
  Object.entries(gate.init({ seed: 1 })).map(([name, { data, shape }]) => [
    name,
    tf.variable(tf.tensor(data, shape), true, name),
  ]),
)
const slopes = tf.variable(tf.randomNormal([dim, experts], 0, 0.1, 'float32', 1), true, 'experts')
const optimizer = tf.train.adam(0.03)

/** One expert answers the sum of a token, the other its negative; who is right is told by the first feature. */
function sample(seed) {
  return tf.tidy(() => {
    const x = tf.randomNormal([batch, steps, dim], 0, 1, 'float32', seed)
    const right = tf.sign(tf.slice(x, [0, 0, 0], [-1, -1, 1]))
    return { x, y: tf.mul(right, tf.sum(x, -1, true)) }
  })
}

let loss
for (let step = 0; step < 200; step++) {
  const { x, y } = sample(step)
  const params = Object.fromEntries(
    Object.entries(router).map(([name, v]) => [name, tensor(v.dataSync(), v.shape)]),
  )
  const { outputs, vjp } = await gate.vjp(executor, params, tensor(x.dataSync(), x.shape))
  const mixture = (weights, a) => {
    const answers = tf.reshape(tf.matMul(tf.reshape(x, [-1, dim]), a), [batch, steps, experts])
    return tf.mean(tf.squaredDifference(tf.sum(tf.mul(answers, weights), -1, true), y))
  }
  const { value, grads } = tf.valueAndGrads(mixture)([
    tf.tensor(outputs.weights.data, outputs.weights.shape),
    slopes,
  ])
  const [toGate, toExperts] = grads
  const pulled = await vjp({ weights: tensor(toGate.dataSync(), toGate.shape) })
  optimizer.applyGradients([
    { name: 'experts', tensor: toExperts },
    ...Object.keys(router).map((name) => ({
      name,
      tensor: tf.tensor(pulled[name].data, pulled[name].shape),
    })),
  ])
  loss = value.dataSync()[0]
  if (step % 50 === 0) console.log(`step ${step}: loss ${loss.toFixed(3)}`)
  tf.dispose([x, y, value, ...grads])
}
console.log(
  `loss ${loss.toFixed(3)}; one linear model cannot get below the variance of its answers, about ${dim}`,
)
await executor.dispose()
process.exitCode = loss < dim / 2 ? 0 : 1

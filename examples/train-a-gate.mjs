// A gate learns a task in which experts change in the middle of a sequence: with memory and anticipation, and without.
import { accuracy, adam, atStep, createGate, gateMass, preset, transpose } from '@fep-moe/core'
import { openDomainSwitch } from '@fep-moe/experiments'
import { jsBackend } from '@fep-moe/js'

const STEPS = 300
const backend = await jsBackend()
const found = {}
for (const name of ['paper-a/affinity', 'paper-a/beta+ant']) {
  const gate = createGate(preset(name, { dim: 16, experts: 4 }))
  const trainer = await gate.trainer(backend, gate.init({ seed: 42 }), {
    optimizer: adam({ lr: 1e-2 }),
    loss: { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' }, // what follows the last token is not known
    layout: 'feature-major', // the task makes (dim, time, batch)
  })
  const train = openDomainSwitch({ batch: 64 }, 42)
  for (let step = 0; step < STEPS; step++) {
    const { x, targets } = train.next()
    const { loss } = await trainer.step({ x, targets })
    if (step % 100 === 0) console.log(`${name} step ${step}: loss ${(await loss()).toFixed(3)}`)
  }
  // Fresh sequences, which training never saw.
  const { x, targets: right } = openDomainSwitch({ batch: 1024 }, 7).next()
  const { logits, weights } = await gate.route(backend, await trainer.params(), transpose(x, [2, 1, 0]))
  const targets = transpose(right, [1, 0])
  // The last step before the switch is the one that a gate without memory cannot see.
  found[name] = {
    accuracy: accuracy(atStep(logits, 5), atStep(targets, 5)),
    mass: gateMass(atStep(weights, 5), atStep(targets, 5)),
  }
  console.log(
    `${name} before the switch: accuracy ${found[name].accuracy.toFixed(2)}, gate mass ${found[name].mass.toFixed(2)}`,
  )
  await trainer.dispose()
}
await backend.dispose()
process.exitCode = found['paper-a/beta+ant'].accuracy > found['paper-a/affinity'].accuracy + 0.3 ? 0 : 1

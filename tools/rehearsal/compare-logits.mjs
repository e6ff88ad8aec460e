// `node compare-logits.mjs OURS THEIRS`: the largest difference between the logits of two safetensors files.
import { readFileSync } from 'node:fs'
import { readSafetensors } from '@fep-moe/core/safetensors'

const [ours, theirs] = process.argv.slice(2).map((file) => readSafetensors(readFileSync(file)).tensors.logits)
if (ours.shape.join() !== theirs.shape.join()) throw new Error(`(${ours.shape}) and (${theirs.shape})`)
const largest = ours.data.reduce((most, z, i) => Math.max(most, Math.abs(z - theirs.data[i])), 0)
console.log(`${ours.data.length} logits, largest difference ${largest.toExponential(1)}`)
process.exitCode = largest < 1e-5 ? 0 : 1

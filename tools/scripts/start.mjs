// `npm start`: the full ablation on ONNX Runtime; where it has no binary the command says so and runs a quick one as
// JavaScript. Ends with what to try next.
import { command } from './command.mjs'
import { setup } from './setup.mjs'

const flags = process.argv.slice(2)

await setup()
await command(['reproduce', 'ablation', ...flags])
if (!process.exitCode && !flags.includes('--json')) {
  const next = [
    ['claims', 'what the papers say, with a verdict on each'],
    ['reproduce sensitivity', 'accuracy against the decay of the membrane'],
    ['bench executors', 'what every backend here takes for a step'],
  ]
  console.log('\ntry:')
  for (const [line, what] of next) console.log(`  npm run -s fep-moe -- ${line.padEnd(22)} ${what}`)
}

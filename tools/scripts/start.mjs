// `npm start`: every experiment of the paper on ONNX Runtime, as many seeds as fit into minutes, and one report; where ONNX
// Runtime has no binary the command says so and runs quick ones as JavaScript. Ends with what to try next.
import { command } from './command.mjs'
import { setup } from './setup.mjs'

const flags = process.argv.slice(2)

await setup()
await command(['reproduce', '--all', ...flags])
if (!process.exitCode && !flags.includes('--json')) {
  const next = [
    ['claims', 'what the paper says, with a verdict on each'],
    ['reproduce --all --full', 'the seeds that are missing, and what takes long'],
    ['bench executors', 'what every backend here takes for a step'],
  ]
  console.log('\ntry:')
  for (const [line, what] of next) console.log(`  npm run -s fep-moe -- ${line.padEnd(22)} ${what}`)
}

// `npm start`: the full ablation on ONNX Runtime; where it has no binary the command says so and runs a quick one on the
// reference.
import { command } from './command.mjs'
import { setup } from './setup.mjs'

await setup()
await command(['reproduce', 'ablation', ...process.argv.slice(2)])

// `npm run -s fep-moe -- ARGS…`: the command from a checkout, set up and built when needed.

import { command } from './command.mjs'
import { setup } from './setup.mjs'

await setup()
await command(process.argv.slice(2))

// `npm test`: everything set up and built (the command line is tested as it ships), then vitest.
import { bin, foreground, setup } from './setup.mjs'

await setup()
process.exitCode = await foreground([bin('vitest'), 'run', ...process.argv.slice(2)])

// `node tools/scripts/tool.mjs COMMAND ARGS…`: a root dependency's command, in a checkout that is installed first.
import { bin, foreground, setup } from './setup.mjs'

await setup({ build: false })
const [command, ...args] = process.argv.slice(2)
process.exitCode = await foreground([bin(command), ...args])

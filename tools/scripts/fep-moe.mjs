// `npm run -s fep-moe -- ARGS…`: the command from a checkout, set up and built when needed. Where there is no graphics
// card, WebGPU finds SwiftShader.

import { command } from './command.mjs'
import { setup } from './setup.mjs'
import { useSwiftShader } from './swiftshader.mjs'

await setup()
await useSwiftShader({ only: false })
await command(process.argv.slice(2))

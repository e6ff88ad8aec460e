/**
 * The adapter that tests run on: SwiftShader where it can be had, so that every machine computes the same, else whatever
 * WebGPU finds here. VK_ICD_FILENAMES or VK_DRIVER_FILES of your own choose a graphics card.
 */
import { standIn as standInFor } from '../../../tools/conformance/stand-in.js'
import { openDevice } from '../src/runtime/open.js'

const script = new URL('../../../tools/scripts/swiftshader.mjs', import.meta.url).href
const { useSwiftShader } = await import(script)
const driver: { readonly reason?: string } = await useSwiftShader({ only: true })

/** Why WebGPU does not run here; undefined where it does. */
export const reasonAgainst: string | undefined = await openDevice(undefined).then(
  ({ gpu }) => {
    gpu.destroy()
    return undefined
  },
  (error) => [error.message, driver.reason].filter(Boolean).join('; '),
)

/** What stands for tests that cannot run here. */
export const standIn = (reason: string): void => standInFor('webgpu-node', reason)

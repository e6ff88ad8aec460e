/** What WebGPU can do here. */
import type { Capabilities } from '@fep-moe/core'
import { ACCURACY } from './accuracy.js'
import { claimedComposites } from './lowerings/table.js'
import type { AdapterDescription } from './runtime/open.js'

/** The capabilities of a backend on an adapter. */
export const capabilitiesOf = ({ name, software }: AdapterDescription): Capabilities => ({
  dtypes: ['float32', 'int32', 'bool'],
  composites: [...claimedComposites],
  unsupported: [],
  sync: false,
  hostTensors: false,
  symbolicBatch: false,
  device: software ? 'software-gpu' : 'gpu',
  ...(name === undefined ? {} : { adapter: name }),
  precision: 'float32',
  accuracy: ACCURACY,
  nonFinite: { policy: 'undefined', except: {} },
})

import { WEBGL_FLAGS } from './browser/chromium.js'
import { chromiumLane } from './browser/lane.js'

// Every form of every operator and of its gradient. The rest of the suite puts them together, which takes many minutes on
// graphics hardware made of software.
const groups = ['operators', 'gradients'] as const

await chromiumLane({ executor: 'tfjs-webgl', flags: WEBGL_FLAGS, groups })

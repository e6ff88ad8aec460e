import { chromiumLane } from './browser/lane.js'

// Every form of every operator is in these; the rest of the suite takes ten minutes on
// graphics hardware made of software.
const groups = ['operators', 'gradients', 'lifecycle'] as const

await chromiumLane({ executor: 'tfjs-webgpu', groups })

import { chromiumLane } from './browser/lane.js'

// Every form of every operator is in these; the rest of the suite puts them together, which takes ten minutes on
// graphics hardware made of software.
const groups = ['operators', 'official', 'gradients', 'golden', 'fuzz', 'lifecycle'] as const

await chromiumLane({ executor: 'tfjs-webgpu', groups })

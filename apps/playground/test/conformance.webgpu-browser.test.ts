import { chromiumLane } from './browser/lane.js'

await chromiumLane({ lane: 'webgpu-browser', executor: 'webgpu' })

import { chromiumLane } from './browser/lane.js'

await chromiumLane({ lane: 'tfjs-browser', executor: 'tfjs-wasm' })

import { chromiumLane } from './browser/lane.js'

await chromiumLane({ lane: 'onnx-web', executor: 'onnx-web' })

import { conformance } from '@fep-moe/conformance'
import { tfjsBackend } from '@fep-moe/tfjs'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'

conformance({
  runner: { describe, it },
  backend: () => tfjsBackend({ backend: 'wasm', smallPrograms: 'native' }),
  report: saveReport('tfjs-wasm'),
})

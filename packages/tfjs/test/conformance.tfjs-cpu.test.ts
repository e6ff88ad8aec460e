import { conformance } from '@fep-moe/conformance'
import { tfjsBackend } from '@fep-moe/tfjs'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'

conformance({
  runner: { describe, it },
  backend: () => tfjsBackend({ backend: 'cpu', smallPrograms: 'native' }),
  report: saveReport('tfjs-cpu'),
})

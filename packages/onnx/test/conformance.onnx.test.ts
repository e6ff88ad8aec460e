import { conformance } from '@fep-moe/conformance'
import { onnxBackend } from '@fep-moe/onnx'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'

conformance({
  runner: { describe, it },
  backend: () => onnxBackend({ smallPrograms: 'native' }),
  report: saveReport('onnx'),
})

import { conformance } from '@fep-moe/conformance'
import { jsBackend } from '@fep-moe/js'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'

conformance({ runner: { describe, it }, backend: () => jsBackend(), report: saveReport('js') })

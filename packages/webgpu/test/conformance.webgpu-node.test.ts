import { conformance } from '@fep-moe/conformance'
import { webgpuBackend } from '@fep-moe/webgpu'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'
import { reasonAgainst, standIn } from './adapter.js'

if (reasonAgainst) standIn(reasonAgainst)
else
  conformance({
    runner: { describe, it },
    backend: () => webgpuBackend({ smallPrograms: 'native' }),
    report: saveReport('webgpu-node'),
  })

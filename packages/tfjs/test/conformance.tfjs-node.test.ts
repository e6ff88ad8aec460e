import { conformance } from '@fep-moe/conformance'
import { tfjsBackend } from '@fep-moe/tfjs'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'
import { standIn } from '../../../tools/conformance/stand-in.js'
import { reasonAgainst } from './lanes.js'

const reason = reasonAgainst('node')
if (reason) standIn('tfjs-node', reason)
else
  conformance({
    runner: { describe, it },
    backend: () => tfjsBackend({ backend: 'node', smallPrograms: 'native' }),
    report: saveReport('tfjs-node'),
  })

import { conformance } from '@fep-moe/conformance'
import { referenceBackend } from '@fep-moe/core'
import { describe, it } from 'vitest'
import { saveReport } from '../../../tools/conformance/save-report.js'

describe('reference in float32', () => {
  conformance({
    runner: { describe, it },
    backend: () => referenceBackend(),
    report: saveReport('reference'),
  })
})

describe('reference in float64', () => {
  conformance({
    runner: { describe, it },
    backend: () => referenceBackend({ precision: 'float64' }),
    // Gradients, training and random graphs are held against this very backend: they would compare it with itself.
    groups: ['operators', 'official', 'golden', 'non-finite', 'lifecycle'],
  })
})

import { conformance } from '@fep-moe/conformance'
import { referenceBackend } from '@fep-moe/core'
import { describe, it } from 'vitest'

describe('reference in float32', () => {
  conformance({ runner: { describe, it }, backend: () => referenceBackend() })
})

describe('reference in float64', () => {
  conformance({
    runner: { describe, it },
    backend: () => referenceBackend({ precision: 'float64' }),
    // Gradients and training are held against this very backend: they would compare it with itself.
    groups: ['operators', 'golden', 'lifecycle'],
  })
})

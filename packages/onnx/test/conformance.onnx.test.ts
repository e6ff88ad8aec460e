import { conformance } from '@fep-moe/conformance'
import { onnxBackend } from '@fep-moe/onnx'
import { describe, it } from 'vitest'

conformance({ runner: { describe, it }, backend: () => onnxBackend() })

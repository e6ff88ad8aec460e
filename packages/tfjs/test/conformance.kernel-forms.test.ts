import { conformance } from '@fep-moe/conformance'
import { describe, it } from 'vitest'
import { kernelForms } from './kernel-forms.js'

// Every form of every operator is in these; the rest of the suite puts them together, which takes minutes here.
const groups = ['operators', 'official', 'gradients', 'golden', 'fuzz', 'lifecycle'] as const

conformance({ runner: { describe, it }, backend: kernelForms, groups })

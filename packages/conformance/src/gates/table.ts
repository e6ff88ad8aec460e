/** Every case of the group `gates`. */
import type { ProcedureCase } from '../frame/case.js'
import { layers } from './layer.js'
import { models } from './models.js'
import { policies } from './policies.js'
import { policyStateCases } from './policy-state.js'
import { precision } from './precision.js'
import { reset } from './reset.js'
import { selection } from './selection.js'
import { streaming } from './streaming.js'
import { training } from './training.js'
import { vjp } from './vjp.js'

/** See the file's header. */
export const gates = (): ProcedureCase[] => [
  ...streaming(),
  ...reset(),
  ...precision(),
  ...selection(),
  ...vjp(),
  ...training(),
  ...models(),
  ...policies(),
  ...policyStateCases(),
  ...layers(),
]

/** What the gates of the golden cases are, in this library's terms. */
import type { GateConfig, LossConfig } from '@fep-moe/core'
import type { VectorEntry } from './vectors.js'

/** A gate of paper A with the loss its script trains it with. */
export interface GoldenGate {
  readonly config: GateConfig
  readonly loss: LossConfig
  /** The script's name of a parameter of ours. */
  readonly torchName: (name: string) => string
}

interface ScriptConfig {
  readonly D: number
  readonly E: number
  readonly use_beta: number
  readonly use_pi: number
  readonly use_ant: number
  readonly oracle: number
  readonly pi_momentum: number
  readonly pi_eps: number
  readonly pi_var0: number
  readonly pred_coeff: number
  readonly threshold: number
}

const same = (name: string) => name
const size = ({ D, E }: ScriptConfig) => ({ dim: D, experts: E })
const beta = { kind: 'leaky', beta: 0.9, learned: true } as const
const direct = { kind: 'direct', activation: 'relu' } as const
/** The scripts route steps 0..T−2 and sum their losses. */
const perStep = { kind: 'cross-entropy', time: 'sum', lastStep: 'drop' } as const

/** `ablation.py`, and `routing_entropy.py`, which has the same routers. */
function ablation(c: ScriptConfig): GateConfig {
  if (c.oracle) return { ...size(c), router: 'oracle' }
  return {
    ...size(c),
    ...(c.use_beta ? { memory: beta } : {}),
    ...(c.use_pi
      ? {
          precision: {
            kind: 'gain',
            momentum: c.pi_momentum,
            epsilon: c.pi_eps,
            initialVariance: c.pi_var0,
          } as const,
        }
      : {}),
    ...(c.use_ant ? { anticipation: { ...direct, width: 4 * c.D } } : {}),
  }
}

/** `beta_routing.py`: routers that decide at the end of a sequence, β of a fixed membrane from the case. */
function sequenceClassifier(c: ScriptConfig & { readonly beta?: number }, router: string): GateConfig {
  const membrane = { kind: 'membrane', threshold: c.threshold } as const
  switch (router) {
    case 'last':
      return size(c)
    case 'mean':
      return { ...size(c), memory: { kind: 'mean' } }
    case 'lif':
      return { ...size(c), memory: { ...membrane, beta: c.beta as number, learned: false } }
    default:
      return { ...size(c), memory: { ...membrane, learned: true } }
  }
}

/** The gate of a case. */
export function goldenGate({ id, config }: VectorEntry): GoldenGate {
  const c = config as unknown as ScriptConfig
  if (id.startsWith('A1.')) {
    return {
      config: ablation(c),
      loss: { ...perStep, on: 'logits', predictionWeight: c.pred_coeff },
      torchName: same,
    }
  }
  if (id.startsWith('A2.')) {
    return {
      config: sequenceClassifier(c, id.split('.')[2] as string),
      loss: { kind: 'cross-entropy', on: 'weights', time: 'last' },
      torchName: same,
    }
  }
  if (id.startsWith('A4.')) {
    const base = size(c)
    const variant = id.split('.')[2]
    return {
      config:
        variant === 'oracle'
          ? { ...base, router: 'oracle' }
          : variant === 'ant'
            ? { ...base, anticipation: { ...direct, width: 2 * c.D } }
            : base,
      loss: { ...perStep, on: 'weights', predictionWeight: c.pred_coeff },
      torchName: (name) => name.replace('predictor.', 'predictor.net.'),
    }
  }
  if (id.startsWith('A6.')) {
    return { config: ablation(c), loss: { ...perStep, on: 'weights', predictionWeight: 0 }, torchName: same }
  }
  return {
    config: {
      ...size(c),
      memory: beta,
      precision: { kind: 'gain' },
      anticipation: { kind: 'additive', activation: 'gelu', width: 4 * c.D },
    },
    loss: { kind: 'cross-entropy', time: 'sum', predictionTime: 'mean', predictionWeight: c.pred_coeff },
    torchName: same,
  }
}

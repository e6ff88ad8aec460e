/** Times a sparse layer: a batch of tokens through its two best experts of many. */
import { type Backend, random, type Tensor, tensor } from '@fep-moe/core'
import { createMoeLayer } from '@fep-moe/core/moe'
import { type LapOptions, type Laps, timeLaps } from './laps.js'

/** Sizes of a layer. */
export interface LayerSize {
  readonly tokens: number
  readonly d: number
  readonly hidden: number
  readonly experts: number
  readonly topK: number
}

/** One size's timing; the keys are the output's. */
export interface LayerTiming extends Laps {
  readonly what: 'layer'
  readonly tokens: number
  readonly d: number
  readonly hidden: number
  readonly experts: number
  readonly top_k: number
}

/** Times runs of an open layer on one sequence: a softmax over all experts, the k best, gelu, no biases, as the PyTorch peer has it. */
export async function timeLayer(
  backend: Backend,
  { tokens, d, hidden, experts, topK }: LayerSize,
  laps: LapOptions,
): Promise<LayerTiming> {
  const layer = createMoeLayer({
    dim: d,
    experts,
    router: { bias: false, select: { kind: 'token-choice', k: topK, normalize: false } },
    expert: { width: hidden, activation: 'gelu' },
    residual: false,
  })
  const opened = await layer.open(backend, layer.init({ seed: 0 }), layer.initialState())
  const x: Tensor = tensor(new Float32Array(tokens * d), [1, tokens, d])
  random(0, 'bench').fillNormal(x.data as Float32Array)
  try {
    const timed = await timeLaps(() => opened.run(x), laps)
    return { what: 'layer', tokens, d, hidden, experts, top_k: topK, ...timed }
  } finally {
    await opened.dispose()
  }
}

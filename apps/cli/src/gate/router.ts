/** What `gate run` asks of a gate, whatever selects its experts. */
import {
  type Backend,
  createGate,
  type GateConfig,
  type GateStream,
  type ParameterSpec,
  type Params,
  type RouteOptions,
  type Tensor,
} from '@fep-moe/core'
import { createSparseGate, frozenStates, POLICY_KINDS, type SparseGateConfig } from '@fep-moe/core/policies'

/** Tensors by name, and when they are for. */
export type Routed = { readonly horizon: 0 | 1 } & Readonly<Record<string, unknown>>

/** A gate, or a gate with a policy. What a policy carries (cutoffs, a correction bias) is read as `policy.NAME`. */
export interface Router {
  readonly dim: number
  readonly horizon: 0 | 1
  readonly params: readonly ParameterSpec[]
  route(backend: Backend, params: Params, x: Tensor, options: RouteOptions): Promise<Routed>
  stream(backend: Backend, params: Params, batch: number): Promise<GateStream<Routed>>
  release(backend: Backend): Promise<void>
}

/** @throws FEP_BAD_CONFIG */
export function createRouter(config: GateConfig | SparseGateConfig): Router {
  return isSparse(config) ? sparseRouter(config) : plainRouter(config)
}

const isSparse = (config: GateConfig | SparseGateConfig): config is SparseGateConfig =>
  POLICY_KINDS.some((kind) => kind === (config?.select as { readonly kind?: unknown } | undefined)?.kind)

function plainRouter(config: GateConfig): Router {
  const gate = createGate(config)
  return {
    dim: gate.config.dim,
    horizon: gate.horizon,
    params: gate.params,
    route: async (backend, params, x, options) => ({ ...(await gate.route(backend, params, x, options)) }),
    stream: (backend, params, batch) =>
      gate.stream(backend, params, { batch }) as unknown as Promise<GateStream<Routed>>,
    release: (backend) => gate.release(backend),
  }
}

const PREFIX = 'policy.'

function sparseRouter(config: SparseGateConfig): Router {
  const gate = createSparseGate(config)
  const carried = frozenStates(gate.policy)
  const specs = carried.map(
    ({ name, shape }): ParameterSpec => ({
      name: `${PREFIX}${name}`,
      shape,
      fanIn: 1,
      fanOut: 1,
      kind: 'values',
    }),
  )
  const split = (all: Params) => {
    const own = gate.params.map(({ name }) => [name, all[name] as Tensor] as const)
    const read = carried.map(({ name }) => [name, all[`${PREFIX}${name}`] as Tensor] as const)
    return {
      params: Object.fromEntries(own),
      state: { ...gate.initialState(), ...Object.fromEntries(read) },
    }
  }
  return {
    dim: gate.gate.dim,
    horizon: gate.horizon,
    params: [...gate.params, ...specs],
    route: async (backend, all, x, options) => {
      const { params, state } = split(all)
      return { ...(await gate.route(backend, params, state, x, options)) }
    },
    stream: (backend, all, batch) => {
      const { params, state } = split(all)
      return gate.stream(backend, params, state, { batch }) as unknown as Promise<GateStream<Routed>>
    },
    release: (backend) => gate.release(backend),
  }
}

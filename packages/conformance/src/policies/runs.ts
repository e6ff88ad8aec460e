/** Policies alone: graphs of a decision on given logits and of an update, and runs of them on a backend. */
import {
  type Backend,
  type Graph,
  GraphBuilder,
  ops,
  optimize,
  type Program,
  type Tensor,
  takeAll,
  type Value,
} from '@fep-moe/core'
import {
  decide,
  frozenStates,
  type PolicyState,
  policyStates,
  type ResolvedPolicy,
  settle,
} from '@fep-moe/core/policies'

/** What a decision is asked for. */
export interface DecisionForm {
  readonly batch: number
  readonly steps: number
  readonly training?: boolean
  readonly valid?: boolean
}

/** (B,T,E) ↔ (E,T,B) */
const swap = (x: Value) => ops.permute(x, [2, 1, 0])

/** A decision on logits (B,T,E). Feeds and results carry the names of the decision's fields; state is `policy/NAME`. */
export function decisionGraph(policy: ResolvedPolicy, form: DecisionForm): Graph {
  const { batch, steps, training = false } = form
  const { experts } = policy
  const builder = new GraphBuilder('decision')
  const perExpert = (name: string) =>
    ops.reshape(swap(builder.input(name, 'float32', [batch, steps, experts])), [experts, steps * batch])
  const states = training ? policyStates(policy) : frozenStates(policy)
  const decision = decide(policy, {
    logits: perExpert('logits'),
    steps,
    training,
    state: Object.fromEntries(
      states.map(({ name, shape }) => [name, builder.input(`policy/${name}`, 'float32', shape)]),
    ),
    ...(form.valid && { valid: ops.permute(builder.input('valid', 'bool', [batch, steps])) }),
    ...(training && policy.kind === 'token-choice' && policy.noise && { noise: perExpert('noise') }),
    ...(policy.kind === 'random' && { uniform: perExpert('uniform') }),
    ...(policy.kind === 'hash' && {
      ids: ops.reshape(ops.permute(builder.input('ids', 'int32', [batch, steps])), [1, steps * batch]),
    }),
  })
  const edge = (v: Value) => swap(ops.reshape(v, [v.shape[0] as number, steps, batch]))
  for (const name of ['mask', 'weights', 'shared', 'indices', 'margin', 'dropped'] as const) {
    const value = decision[name]
    if (value) builder.output(name, edge(value))
  }
  for (const name of ['load', 'clamped', 'penalty'] as const) {
    const value = decision[name]
    if (value) builder.output(name, value)
  }
  for (const [name, value] of Object.entries(decision.losses)) builder.output(`loss/${name}`, value)
  if (training)
    for (const [name, value] of Object.entries(decision.state)) builder.output(`policy/${name}`, value)
  return optimize(builder.build())
}

/** One update of the state. */
export function settleGraph(policy: ResolvedPolicy): Graph {
  const builder = new GraphBuilder('settle')
  const state = Object.fromEntries(
    policyStates(policy).map(({ name, shape }) => [name, builder.input(`policy/${name}`, 'float32', shape)]),
  )
  for (const [name, value] of Object.entries(settle(policy, state))) builder.output(`policy/${name}`, value)
  return optimize(builder.build())
}

/** State as feeds: the parts that a graph takes. */
export const stateFeeds = (graph: Graph, state: PolicyState): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(state)
      .map(([name, t]) => [`policy/${name}`, t] as const)
      .filter(([name]) => graph.inputs.includes(name)),
  )

/** The state among results; parts that the graph did not return stay. */
export const stateOf = (results: Readonly<Record<string, Tensor>>, before: PolicyState): PolicyState =>
  Object.fromEntries(Object.entries(before).map(([name, t]) => [name, results[`policy/${name}`] ?? t]))

/** What a policy does on a backend, from step to step. */
export interface PolicyRunner {
  /** Decides on logits (B,T,E). */
  decide(
    state: PolicyState,
    logits: Tensor,
    options?: { readonly training?: boolean; readonly feeds?: Readonly<Record<string, Tensor>> },
  ): Promise<{ readonly results: Readonly<Record<string, Tensor>>; readonly state: PolicyState }>
  settle(state: PolicyState): Promise<PolicyState>
  /** Disposes the programs. */
  dispose(): void
}

/** Runs a policy; programs are compiled once. */
export function policyRunner(backend: Backend, policy: ResolvedPolicy): PolicyRunner {
  const programs = new Map<string, Promise<Program>>()
  const run = async (
    key: string,
    graph: () => Graph,
    feeds: (graph: Graph) => Readonly<Record<string, Tensor>>,
  ): Promise<Readonly<Record<string, Tensor>>> => {
    const pending = programs.get(key) ?? backend.compile(graph())
    programs.set(key, pending)
    const program = await pending
    return takeAll(await program.run(feeds(program.graph)))
  }
  return {
    decide: async (state, logits, { training = false, feeds = {} } = {}) => {
      const [batch, steps] = logits.shape as [number, number]
      const form = { batch, steps, training, valid: feeds.valid !== undefined }
      const results = await run(
        JSON.stringify(form),
        () => decisionGraph(policy, form),
        (graph) => ({ ...stateFeeds(graph, state), ...feeds, logits }),
      )
      return { results, state: stateOf(results, state) }
    },
    settle: async (state) =>
      stateOf(
        await run(
          'settle',
          () => settleGraph(policy),
          (graph) => stateFeeds(graph, state),
        ),
        state,
      ),
    dispose: () => {
      for (const program of programs.values())
        void program.then(
          (p) => p.dispose(),
          () => undefined,
        )
    },
  }
}

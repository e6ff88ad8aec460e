/** Backends whose programs say what they were given and how long they ran. */
import type { Backend, Feeds, Program } from '@fep-moe/core'

/** Wraps a backend. `take` returns the milliseconds since it was last called that were spent inside `run`. */
export function timedRuns(backend: Backend): { backend: Backend; take(): number } {
  let spent = 0
  const timed = (program: Program): Program => ({
    ...program,
    run: async (feeds) => {
      const start = performance.now()
      try {
        return await program.run(feeds)
      } finally {
        spent += performance.now() - start
      }
    },
  })
  return {
    backend: wrapPrograms(backend, timed),
    take: () => {
      const value = spent
      spent = 0
      return value
    },
  }
}

/** Wraps a backend. `recorded` returns the last program that ran and its feeds. */
export function recordRun(backend: Backend): {
  backend: Backend
  recorded(): { program: Program; feeds: Feeds }
} {
  let last: { program: Program; feeds: Feeds } | undefined
  const recording = (program: Program): Program => ({
    ...program,
    run: (feeds) => {
      last = { program, feeds }
      return program.run(feeds)
    },
  })
  return {
    backend: wrapPrograms(backend, recording),
    recorded: () => {
      if (!last) throw new Error('no program has run yet')
      return last
    },
  }
}

const wrapPrograms = (backend: Backend, wrap: (program: Program) => Program): Backend => ({
  ...backend,
  compile: async (graph) => wrap(await backend.compile(graph)),
})

/** Compiled programs kept per backend, least recently used first out. What is dropped is disposed. */
import type { Graph } from '../graph/types.js'
import type { Backend, Program } from './contract.js'

/** A small LRU of programs of one owner (a gate, a trainer). */
export class ProgramCache {
  private readonly byBackend = new WeakMap<Backend, Map<string, Promise<Program>>>()

  constructor(
    /** Programs kept per backend. */
    readonly capacity = 16,
  ) {}

  /** The program under a key, compiled on first use. A failed compile is not kept. */
  get(backend: Backend, key: string, make: () => Graph | Promise<Graph>): Promise<Program> {
    let programs = this.byBackend.get(backend)
    if (!programs) {
      programs = new Map()
      this.byBackend.set(backend, programs)
    }
    const known = programs.get(key)
    const program =
      known ??
      Promise.resolve()
        .then(make)
        .then((graph) => backend.compile(graph))
    programs.delete(key)
    programs.set(key, program)
    if (!known) program.catch(() => programs.delete(key))
    for (const [old, value] of programs) {
      if (programs.size <= this.capacity) break
      programs.delete(old)
      // A run that uses it finishes first; see Program.dispose.
      void value.then(
        (p) => p.dispose(),
        () => undefined,
      )
    }
    return program
  }

  /** Disposes every program of a backend. */
  async clear(backend: Backend): Promise<void> {
    const programs = this.byBackend.get(backend)
    this.byBackend.delete(backend)
    for (const program of programs?.values() ?? []) (await program.catch(() => undefined))?.dispose()
  }
}

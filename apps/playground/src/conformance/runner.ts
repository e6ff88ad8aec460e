/** Runs cases on an executor, one at a time: for the page's own table, and for tests that drive the page. */
import { type ConformanceCase, conformanceCases, runCase } from '@fep-moe/conformance'
import { type Backend, FepError, show } from '@fep-moe/core'
import { asExecutorName, executorNames, executors } from '../executors.js'
import type { ConformanceApi } from './api.js'

/** A runner with no executor open. */
export function createRunner(): ConformanceApi {
  const cases = new Map<string, ConformanceCase>(conformanceCases().map((c) => [c.id, c]))
  let lane: { backend: Backend; create: () => Promise<Backend> } | undefined
  const close = async () => {
    const open = lane
    lane = undefined
    await open?.backend.dispose()
  }
  return {
    open: async (text) => {
      const name = asExecutorName(text)
      if (!name)
        throw new FepError(
          'FEP_BAD_ARGUMENT',
          `executor is ${show(text)}; accepted: ${executorNames.join(', ')}`,
        )
      await close()
      const create = () => executors[name].open()
      const backend = await create()
      lane = { backend, create }
      return { name: backend.name, specVersion: backend.specVersion, capabilities: backend.capabilities }
    },
    run: async (id, expected) => {
      const testCase = cases.get(id)
      if (!testCase) throw new FepError('FEP_CONFORMANCE', `${show(id)} is no case of the suite`)
      if (!lane) throw new FepError('FEP_CONFORMANCE', 'no executor is open')
      return runCase(testCase, lane, expected)
    },
    close,
  }
}

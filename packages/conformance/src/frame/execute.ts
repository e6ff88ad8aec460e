/** Does what a case says, on a probe. */
import type { ConformanceCase, GraphCase } from './case.js'
import type { Probe } from './probe.js'

/** Throws what ends the case early; deviations are on the probe. */
export function execute(testCase: ConformanceCase, probe: Probe): Promise<void> {
  return testCase.kind === 'graph' ? executeGraph(testCase, probe) : testCase.check(probe)
}

async function executeGraph(testCase: GraphCase, probe: Probe): Promise<void> {
  const program = await probe.backend.compile(testCase.graph())
  try {
    for (const { feeds, expected, tolerance } of testCase.runs()) {
      const fetched = await program.run(feeds)
      for (const [name, want] of Object.entries(expected)) {
        await probe.compare(name, probe.present(`output '${name}'`, fetched[name]), want, tolerance?.[name])
      }
      for (const t of Object.values(fetched)) t.dispose()
    }
  } finally {
    program.dispose()
  }
}

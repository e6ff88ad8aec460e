/** A worker process: trains one run after the other, each in a session of its own. Started by the pool, never by hand. */
import { setImmediate } from 'node:timers/promises'
import type { Backend } from '@fep-moe/core'
import { findExperiment, type Run } from '@fep-moe/experiments'
import workerpool from 'workerpool'
import { openBackend } from './backends.js'
import type { Task, TaskProgress } from './protocol.js'

/** Milliseconds between reports. */
const REPORT_EVERY = 200

// Ctrl-C in a terminal reaches every process of the group. Who stops the workers is the one that started them.
process.on('SIGINT', () => undefined)
// The command was killed and its channel is gone: nobody is left to report to.
const events: NodeJS.EventEmitter = process
events.on('error', () => process.exit(1))

// The backend lives as long as the process; all tasks of a pool use the same one.
let backend: Promise<Backend> | undefined

async function train({ experiment, settings, job, backend: name, threads }: Task): Promise<Run> {
  backend ??= openBackend(name, { threads })
  let reported = performance.now()
  return findExperiment(experiment).run(await backend, job, settings, (done) => {
    const now = performance.now()
    if (now - reported < REPORT_EVERY) return
    reported = now
    workerpool.workerEmit({ share: done / settings.epochs } satisfies TaskProgress)
    // A synchronous backend never lets the event loop turn, and a message to stop would wait until the end.
    return setImmediate()
  })
}

workerpool.worker({ train })

/**
 * Which kernels become one function. An engine optimizes a function once enough of it has run, and what it has optimized
 * of one function it calls from the next only after that one's turn: a program of many short functions takes thousands of
 * runs to become fast, the same code in one function hundreds. But engines give up on very long functions.
 */
import type { Kernel, Loop, Stage } from '../ir/module.js'

/** Characters of one function; a kernel that is longer is a function by itself. */
const LONGEST = 8192

/** Kernels that follow each other. */
export interface Run {
  readonly kind: 'run'
  readonly kernels: readonly Kernel[]
}

/** A loop over runs. */
export interface RunLoop extends Omit<Loop, 'body'> {
  readonly body: readonly (Run | RunLoop)[]
}

/** Joins neighbors, within loops too, as far as length allows. */
export function joinKernels(stages: readonly Stage[]): (Run | RunLoop)[] {
  const joined: (Run | RunLoop)[] = []
  let [open, length]: [Kernel[], number] = [[], 0]
  const close = () => {
    if (open.length > 0) joined.push({ kind: 'run', kernels: open })
    ;[open, length] = [[], 0]
  }
  for (const stage of stages) {
    if (stage.kind === 'loop') {
      close()
      joined.push({ ...stage, body: joinKernels(stage.body) })
      continue
    }
    if (length + stage.body.length > LONGEST) close()
    open.push(stage)
    length += stage.body.length
  }
  close()
  return joined
}

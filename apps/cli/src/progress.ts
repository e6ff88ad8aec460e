/** Live progress on stderr: a bar on a terminal, else a plain line every few seconds. */
import cliProgress from 'cli-progress'

/** Milliseconds between two lines where there is no terminal. */
const LINE_EVERY = 5000

/** Progress of runs of known relative cost. */
export interface Progress {
  /** @param share of the run's work that is done, 0..1 */
  update(run: number, share: number): void
  /** Writes to standard output without tearing the display. */
  print(text: string): void
  stop(): void
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`

/** Starts showing progress. @param costs relative work of each run */
export function startProgress(costs: readonly number[]): Progress {
  const total = costs.reduce((sum, cost) => sum + cost, 0)
  const shares = costs.map(() => 0)
  const started = performance.now()
  const bar = new cliProgress.SingleBar({
    format: process.stderr.isTTY
      ? 'training {bar} {percentage} %  {finished}/{runs} runs  {left}'
      : 'training {percentage} %  {finished}/{runs} runs  {left}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: LINE_EVERY,
    fps: 5,
    barsize: 30,
    linewrap: true,
  })
  const state = () => {
    const done = costs.reduce((sum, cost, i) => sum + cost * (shares[i] as number), 0)
    const seconds = (performance.now() - started) / 1000
    return {
      done,
      payload: {
        finished: shares.filter((share) => share >= 1).length,
        runs: costs.length,
        left: done > 0 ? `${duration((seconds * (total - done)) / done)} left` : 'starting',
      },
    }
  }
  const start = () => {
    const { done, payload } = state()
    bar.start(total, done, payload)
  }
  start()
  return {
    print: (text) => {
      // On a terminal the bar would be drawn into the text; elsewhere a stop would end the plain lines.
      if (process.stderr.isTTY) bar.stop()
      process.stdout.write(text)
      if (process.stderr.isTTY) start()
    },
    update: (run, share) => {
      shares[run] = share
      const { done, payload } = state()
      bar.update(done, payload)
    },
    stop: () => bar.stop(),
  }
}

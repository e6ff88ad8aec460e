// Commands of the rehearsal: run to their end, with what they print kept for the report of a failure.
import { spawn } from 'node:child_process'

const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Runs a program.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>} what it printed to stdout
 */
export function run(program, args, { cwd, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(child)
      if (code === 0) return resolve(out)
      reject(new Error(`${[program, ...args].join(' ')}: ${signal ?? `exit ${code}`}\n${out}${err}`))
    })
  })
}

/** Counts steps, and prints each with its time. */
export function counter() {
  const total = { passed: 0, failed: 0 }
  return {
    total,
    /** Runs a step; a failure is printed and counted, and the next step runs. @returns whether it passed */
    async step(name, work) {
      const started = Date.now()
      const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`
      try {
        const said = await work()
        total.passed += 1
        console.log(`passed  ${name}${said ? `: ${said}` : ''} (${seconds()})`)
        return true
      } catch (error) {
        total.failed += 1
        console.log(`FAILED  ${name} (${seconds()})\n${error.message}`)
        return false
      }
    },
  }
}

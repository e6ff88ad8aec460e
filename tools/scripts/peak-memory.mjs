// `npm run -s peak-memory -- npm start -- --quick`: runs a command and prints the most memory that all of its processes had at one
// moment. Linux: it reads /proc ten times a second. The sum of resident sets counts pages that processes share once for each of
// them, so it is never too low; the proportional sets (PSS), which count them once, are printed beside it.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const [name, ...args] = process.argv.slice(2)
if (process.platform !== 'linux' || !name) {
  console.error(
    name ? 'peak-memory reads /proc: it needs Linux.' : 'usage: npm run -s peak-memory -- COMMAND ARGS…',
  )
  process.exit(2)
}

const child = spawn(name, args, { stdio: 'inherit' })
const peak = { resident: 0, proportional: 0, processes: 0 }
const timer = setInterval(sample, 100)
// A terminal interrupts the child itself.
process.on('SIGINT', () => undefined)
child.on('error', (error) => {
  clearInterval(timer)
  console.error(`cannot run ${name}: ${error.message}`)
  process.exitCode = 2
})
child.on('close', (code, signal) => {
  clearInterval(timer)
  const megabytes = (kilobytes) => `${Math.round(kilobytes / 1024)} MB`
  console.error(
    `peak memory: ${megabytes(peak.resident)} resident, ${megabytes(peak.proportional)} proportional, in ${peak.processes} processes`,
  )
  process.exitCode = code ?? (signal ? 1 : 0)
})

function sample() {
  const parents = new Map()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${entry}/status`))
    if (parent) parents.set(Number(entry), Number(parent[1]))
  }
  const inTree = (pid) => pid === child.pid || (parents.has(pid) && inTree(parents.get(pid)))
  const sums = { resident: 0, proportional: 0, processes: 0 }
  for (const pid of parents.keys()) {
    if (!inTree(pid)) continue
    const rollup = read(`/proc/${pid}/smaps_rollup`)
    const field = (what) => Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0)
    sums.resident += field('Rss')
    sums.proportional += field('Pss')
    sums.processes += 1
  }
  for (const what of Object.keys(peak)) peak[what] = Math.max(peak[what], sums[what])
}

/** Empty where the process has ended meanwhile. */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

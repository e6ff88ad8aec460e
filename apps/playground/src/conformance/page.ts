/** The conformance page: a form that starts a run, a table that fills. Tests use `window.conformance` instead. */
import {
  type CaseResult,
  conformanceCases,
  GROUPS,
  isBroken,
  type Report,
  summarize,
} from '@fep-moe/conformance'
import { asExecutorName, executorNames, executors } from '../executors.js'
import '../style.css'
import type { ConformanceApi } from './api.js'
import { createRunner } from './runner.js'
import { createTable } from './table.js'

declare global {
  interface Window {
    conformance: ConformanceApi
    /** The report of the last run that people started. */
    conformanceReport?: Report
  }
}

const find = <E extends Element>(selector: string): E => document.querySelector(selector) as E
const form = find<HTMLFormElement>('#controls')
const field = <E extends HTMLElement>(name: string): E => form.elements.namedItem(name) as unknown as E
const [executor, group] = [field<HTMLSelectElement>('executor'), field<HTMLSelectElement>('group')]
const [stop, save] = [field<HTMLButtonElement>('stop'), field<HTMLButtonElement>('save')]
const run = find<HTMLButtonElement>('button[type=submit]')
const status = find('#status')
const progress = find<HTMLProgressElement>('#progress')
const table = createTable(find('#groups'), find('#failures'))

const runner = createRunner()
window.conformance = runner

const address = new URLSearchParams(location.search)
for (const name of executorNames) executor.add(new Option(executors[name].title, name))
for (const name of ['all', ...GROUPS]) group.add(new Option(name, name))
executor.value = asExecutorName(address.get('executor')) ?? 'js'
group.value = GROUPS.find((name) => name === address.get('group')) ?? 'all'

let stopped = false
stop.addEventListener('click', () => {
  stopped = true
})
form.addEventListener('submit', (event) => {
  event.preventDefault()
  void start()
})
save.addEventListener('click', () => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(window.conformanceReport, null, 2)], { type: 'application/json' }),
  )
  link.download = `conformance.${executor.value}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href))
})
table.clear(conformanceCases())
// An address that names an executor is a run that somebody sent: it starts by itself.
if (address.has('executor')) void start()

async function start(): Promise<void> {
  const cases = conformanceCases().filter((c) => group.value === 'all' || c.group === group.value)
  const { title } = executors[executor.value as keyof typeof executors]
  const results: CaseResult[] = []
  stopped = false
  busy(true)
  table.clear(cases)
  progress.max = cases.length
  progress.value = 0
  status.textContent = `Opening ${title} …`
  try {
    const backend = await runner.open(executor.value)
    status.textContent = `Running ${cases.length} cases on ${title} …`
    for (const testCase of cases) {
      if (stopped) break
      const result = await runner.run(testCase.id)
      results.push(result)
      table.add(result)
      progress.value = results.length
      await breathe()
    }
    window.conformanceReport = summarize(backend, results)
    status.textContent = verdict(title, results, cases.length)
  } catch (error) {
    status.textContent = `${title} does not run here: ${error instanceof Error ? error.message : error}`
  } finally {
    await runner.close()
    busy(false)
  }
}

function busy(on: boolean): void {
  for (const control of [executor, group, run]) control.disabled = on
  stop.disabled = !on
  save.disabled = on || window.conformanceReport === undefined
}

function verdict(title: string, results: readonly CaseResult[], planned: number): string {
  const failed = results.filter(isBroken).length
  const outcome = failed === 0 ? 'all of them as they should' : `${failed} failed`
  const rest = results.length < planned ? `, stopped before ${planned - results.length} more` : ''
  return `${title}: ${results.length} cases, ${outcome}${rest}.`
}

let painted = performance.now()
/** Lets the page paint, a few times a second. */
async function breathe(): Promise<void> {
  if (performance.now() - painted < 100) return
  await new Promise((resolve) => setTimeout(resolve))
  painted = performance.now()
}

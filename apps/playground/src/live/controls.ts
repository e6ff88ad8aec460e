/** The form: what is chosen, and what happens when it changes. */
import { asExecutorName, executorNames, executors } from '../executors.js'
import { type ConditionName, conditions } from './conditions.js'
import type { Choice } from './session.js'

/** What a page does when somebody uses the form. */
export interface Actions {
  /** A gate, seed or executor was chosen. */
  choose(choice: Choice): void
  train(): void
  pause(): void
  reset(): void
}

/** The form as the page sees it. */
export interface Controls {
  choice(): Choice
  /** Tokens a second. */
  speed(): number
  /** Puts a choice into the form. */
  show(choice: Choice): void
  training(on: boolean): void
  paused(on: boolean): void
}

/** Wires the form. */
export function createControls(form: HTMLFormElement, actions: Actions): Controls {
  const field = <E extends HTMLElement>(name: string): E => form.elements.namedItem(name) as unknown as E
  const condition = field<HTMLSelectElement>('condition')
  const executor = field<HTMLSelectElement>('executor')
  const seed = field<HTMLInputElement>('seed')
  const speed = field<HTMLInputElement>('speed')
  const [train, pause, reset] = ['train', 'pause', 'reset'].map((name) => field<HTMLButtonElement>(name)) as [
    HTMLButtonElement,
    HTMLButtonElement,
    HTMLButtonElement,
  ]
  for (const [name, { title }] of Object.entries(conditions)) condition.add(new Option(title, name))
  for (const name of executorNames) executor.add(new Option(executors[name].title, name))
  const address = new URLSearchParams(location.search)
  const wanted = address.get('gate')
  condition.value = wanted && wanted in conditions ? wanted : 'beta+ant'
  executor.value = asExecutorName(address.get('executor')) ?? 'js'
  if (address.has('seed')) seed.value = `${Number(address.get('seed')) || 0}`

  const choice = (): Choice => ({
    condition: condition.value as ConditionName,
    executor: asExecutorName(executor.value) ?? 'js',
    seed: seed.valueAsNumber,
  })
  for (const control of [condition, executor, seed])
    control.addEventListener('change', () => {
      if (form.reportValidity() && Number.isInteger(seed.valueAsNumber)) actions.choose(choice())
    })
  const output = document.getElementById('speed-value') as HTMLOutputElement
  speed.addEventListener('input', () => {
    output.value = speed.value
  })
  form.addEventListener('submit', (event) => event.preventDefault())
  train.addEventListener('click', actions.train)
  pause.addEventListener('click', actions.pause)
  reset.addEventListener('click', actions.reset)
  return {
    choice,
    speed: () => speed.valueAsNumber,
    show: (next) => {
      condition.value = next.condition
      executor.value = next.executor
      seed.valueAsNumber = next.seed
    },
    training: (on) => {
      train.textContent = on ? 'Stop' : 'Train'
    },
    paused: (on) => {
      pause.textContent = on ? 'Play' : 'Pause'
    },
  }
}

/** The live page: one loop over animation frames, in which everything happens in turn. */
import { domainSwitchBounds, type Scores } from '@fep-moe/experiments'
import '../style.css'
import './live.css'
import { executors } from '../executors.js'
import type { LiveApi } from './api.js'
import { WINDOW } from './axis.js'
import { conditions } from './conditions.js'
import { createControls } from './controls.js'
import { createFrameMeter } from './frames.js'
import { createPanels } from './panels.js'
import type { Moment } from './player.js'
import { type Choice, Session } from './session.js'
import { createTally } from './tally.js'

declare global {
  interface Window {
    live: LiveApi
  }
}

/** Training steps that the button starts. */
const STEPS = 600
/** Milliseconds of a frame that a training may take: the rest is for the stream, the panels and the browser. */
const TRAINING_SHARE = 12
/** Tokens that one frame may stream, where frames are late. */
const BURST = 4

const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E
const [status, progress] = [find('status'), find<HTMLProgressElement>('progress')]
const [atSwitch, overall] = [find('at-switch'), find('overall')]
progress.max = STEPS

const panels = createPanels()
const tally = createTally()
const meter = createFrameMeter()
window.live = { frameTimes: meter.times, clearFrameTimes: meter.clear }

let session: Session | undefined
let moments: Moment[] = []
let curve: number[] = []
/** Steps still to train; 0 where no training is under way. */
let remaining = 0
let paused = matchMedia('(prefers-reduced-motion: reduce)').matches
let due = 0
/** What the form asked for, done between frames. */
const wishes: (() => Promise<void> | void)[] = []

const controls = createControls(find<HTMLFormElement>('controls'), {
  choose: (choice) => wishes.push(() => change(choice)),
  train: () => wishes.push(toggleTraining),
  pause: () => {
    paused = !paused
    controls.paused(paused)
  },
  reset: () => wishes.push(() => open(controls.choice())),
})
controls.paused(paused)
wishes.push(() => open(controls.choice()))
void loop()

async function loop(): Promise<void> {
  let before = performance.now()
  for (;;) {
    await new Promise(requestAnimationFrame)
    const began = performance.now()
    const elapsed = began - before
    before = began
    try {
      for (let wish = wishes.shift(); wish; wish = wishes.shift()) await wish()
      if (!session) continue
      if (remaining > 0) await trainFor(session, began)
      await play(session, elapsed)
    } catch (error) {
      stop()
      status.textContent = `This went wrong: ${messageOf(error)}`
    }
    meter.add(began)
  }
}

/** Opens a session, with what another one has learned where that is given. The old one stays where this fails. */
async function open(choice: Choice, from?: Session): Promise<void> {
  const { title } = executors[choice.executor]
  stop()
  status.textContent = `Opening ${title} …`
  let next: Session
  try {
    next = await Session.open(choice, from?.params)
  } catch (error) {
    if (session) controls.show(session.choice)
    status.textContent = `${title} does not run here: ${messageOf(error)}`
    return
  }
  await session?.dispose()
  session = next
  moments = []
  tally.clear()
  if (!from) {
    curve = []
    progress.value = 0
  }
  panels.curve(curve, STEPS)
  panels.membrane(Boolean(session.gate.config.memory))
  const state = from && curve.length > 0 ? 'what it has learned came along' : 'untrained'
  status.textContent = `${conditions[choice.condition].title} on ${title}, ${state}.`
  await token(session)
  show()
}

/** Another executor goes on with the same gate; another gate or seed starts afresh. */
function change(choice: Choice): Promise<void> {
  const same = session?.choice.condition === choice.condition && session.choice.seed === choice.seed
  return open(choice, same ? session : undefined)
}

function toggleTraining(): void {
  if (!session) return
  if (remaining > 0) {
    stop()
    status.textContent = `Training stopped after ${curve.length} steps.`
    return
  }
  remaining = STEPS
  progress.value = 0
  controls.training(true)
  status.textContent = `Training ${conditions[session.choice.condition].title} for ${STEPS} steps …`
}

function stop(): void {
  remaining = 0
  controls.training(false)
}

async function trainFor(on: Session, began: number): Promise<void> {
  let scores: Scores | undefined
  do {
    scores = await on.train()
    curve.push(scores.accuracyAt)
    remaining--
  } while (remaining > 0 && performance.now() - began < TRAINING_SHARE)
  progress.value = STEPS - remaining
  panels.curve(curve, STEPS)
  await on.publish()
  if (remaining > 0) return
  stop()
  tally.clear()
  const last = curve.slice(-10)
  const mean = last.reduce((sum, value) => sum + value, 0) / last.length
  status.textContent = `Trained for ${curve.length} steps: right before the switch in ${percent(mean)} of sequences.`
}

async function play(on: Session, elapsed: number): Promise<void> {
  if (paused) return
  due = Math.min(due + (elapsed / 1000) * controls.speed(), BURST)
  const tokens = Math.floor(due)
  due -= tokens
  for (let i = 0; i < tokens; i++) await token(on)
  if (tokens > 0) show()
}

async function token(on: Session): Promise<void> {
  const moment = await on.advance()
  moments = [...moments.slice(-WINDOW), moment]
  tally.add(moment)
}

function show(): void {
  panels.stream(moments)
  const [switched, all] = [tally.atSwitch(), tally.overall()]
  atSwitch.textContent = switched ? percent(switched.rate) : '–'
  overall.textContent = all ? percent(all.rate) : '–'
  find('at-switch-note').textContent = switched ? `of ${switched.sequences} sequences` : 'not there yet'
  find('overall-note').textContent = `at most ${percent(domainSwitchBounds().fullHistory.all)} is possible`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.01 ? 1 : 0)}\u00a0%`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

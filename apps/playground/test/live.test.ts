import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LiveApi } from '../src/live/api.js'
import { findChromium } from './browser/chromium.js'
import { type OpenPage, startVisit, type Visit } from './browser/page.js'

/** What of a page's globals these tests use, inside the page. */
declare const window: {
  readonly live: LiveApi
  readonly document: {
    readonly activeElement: { readonly name?: string; readonly tagName: string }
    readonly documentElement: { readonly scrollWidth: number }
  }
  getComputedStyle(element: unknown): { readonly backgroundColor: string }
}

const { reason } = await findChromium()

/** A page with a browser under it may share its machine. */
const PATIENCE = 60_000

describe.skipIf(reason !== undefined)(`the live page${reason ? ` (${reason})` : ''}`, () => {
  let visit: Visit
  let open: OpenPage
  const text = async (id: string) => (await open.page.locator(`#${id}`).textContent()) ?? ''
  const shareOf = async (id: string) => Number.parseFloat(await text(id))
  const steps = () =>
    open.page.locator('#progress').evaluate((bar) => (bar as unknown as { value: number }).value)
  const until = (what: () => Promise<boolean>) =>
    expect.poll(what, { timeout: PATIENCE, interval: 100 }).toBe(true)
  const says = (words: string) => until(async () => (await text('status')).includes(words))
  const visiting = async (address: string, options = {}) => {
    open = await visit.open(address, options)
    await says('untrained')
  }
  const leave = async () => {
    expect(open.complaints).toEqual([])
    await open.close()
  }

  beforeAll(async () => {
    visit = await startVisit()
  }, PATIENCE)
  afterAll(() => visit?.close(), PATIENCE)

  it(
    'trains a gate past what any gate without memory can do',
    async () => {
      await visiting('index.html?gate=beta%2Bant&seed=42')
      const { page } = open
      await page.getByLabel('Tokens a second').fill('60')
      await until(async () => (await text('at-switch-note')).startsWith('of '))
      expect(await shareOf('at-switch')).toBeLessThan(35)
      await page.getByRole('button', { name: 'Train' }).click()
      await says('Training')
      // Sequences from before the training leave the tally after eight rounds.
      await until(async () => (await shareOf('at-switch')) > 45)
      expect(await steps()).toBeGreaterThan(0)
      await page.getByRole('button', { name: 'Stop' }).click()
      await says('Training stopped')
      await leave()
    },
    2 * PATIENCE,
  )

  it(
    'goes on with what was learned on another executor, and starts another gate afresh',
    async () => {
      await visiting('index.html?gate=beta%2Bant')
      const { page } = open
      await page.getByRole('button', { name: 'Train' }).click()
      await until(async () => (await steps()) > 60)
      for (const [name, title] of [
        ['tfjs-wasm', 'TensorFlow.js, WebAssembly'],
        ['onnx-web', 'ONNX Runtime, WebAssembly'],
      ] as const) {
        await page.getByLabel('Executor').selectOption(name)
        await says(`on ${title}, what it has learned came along`)
        await until(async () => (await text('at-switch-note')).startsWith('of '))
        expect(await shareOf('at-switch')).toBeGreaterThan(30)
      }
      await page.getByLabel('Gate', { exact: true }).selectOption('baseline')
      await says('untrained')
      expect(await page.locator('#membrane-figure').isHidden()).toBe(true)
      await leave()
    },
    2 * PATIENCE,
  )

  it(
    'is used with the keyboard alone',
    async () => {
      await visiting('index.html')
      const { page } = open
      const focused = () =>
        page.evaluate(() => window.document.activeElement.name || window.document.activeElement.tagName)
      const order: string[] = []
      for (let i = 0; i < 10; i++) {
        await page.keyboard.press('Tab')
        order.push(await focused())
      }
      expect(order).toEqual([
        'A',
        'A',
        'A',
        'condition',
        'executor',
        'seed',
        'speed',
        'train',
        'pause',
        'reset',
      ])
      await page.locator('[name=pause]').focus()
      await page.keyboard.press('Space')
      expect(await page.getByRole('button', { name: 'Play' }).count()).toBe(1)
      const before = await text('overall')
      await page.waitForTimeout(400)
      expect(await text('overall')).toBe(before)
      await page.locator('[name=train]').focus()
      await page.keyboard.press('Enter')
      await says('Training')
      await page.locator('[name=reset]').focus()
      await page.keyboard.press('Enter')
      await says('untrained')
      await page.locator('[name=condition]').focus()
      await page.keyboard.press('Home')
      await says('Baseline')
      await leave()
    },
    2 * PATIENCE,
  )

  it.each(['dark', 'light'] as const)(
    'fits a phone, and is %s where that is preferred',
    async (colorScheme) => {
      await visiting('index.html', { colorScheme, viewport: { width: 360, height: 740 } })
      const { page } = open
      const width = await page.evaluate(() => window.document.documentElement.scrollWidth)
      expect(width).toBe(360)
      const paper = await page
        .locator('body')
        .evaluate((body) => window.getComputedStyle(body).backgroundColor)
      const [red = 0] = (paper.match(/\d+/g) ?? []).map(Number)
      expect(red < 128).toBe(colorScheme === 'dark')
      await leave()
    },
    PATIENCE,
  )

  it(
    'stays where it is when an executor does not run',
    async () => {
      await visiting('index.html')
      const { page } = open
      await page.addInitScript('delete Navigator.prototype.gpu')
      await page.reload()
      await says('untrained')
      await page.getByLabel('Executor').selectOption('tfjs-webgpu')
      await says('does not run here')
      expect(await page.getByLabel('Executor').inputValue()).toBe('js')
      await open.close()
    },
    PATIENCE,
  )

  it.each(['js', 'tfjs-wasm'])(
    'does the work of a frame on %s in the time of one',
    async (executor) => {
      await visiting(`index.html?executor=${executor}`)
      const { page } = open
      await page.getByLabel('Tokens a second').fill('60')
      await page.waitForTimeout(1000) // engines optimize what runs often
      await page.evaluate(() => window.live.clearFrameTimes())
      await until(async () => (await page.evaluate(() => window.live.frameTimes())).frames >= 60)
      const { work, interval } = await page.evaluate(() => window.live.frameTimes())
      const figures = [work.median, work.p95, 1000 / interval.median].map((value) => value.toFixed(1))
      console.log(
        `${executor}: ${figures[0]} ms of work a frame (p95 ${figures[1]}), ${figures[2]} frames a second`,
      )
      // Thirty frames a second leave 33 ms. The bound is for a machine that others use, with everything drawn in software.
      expect(work.median).toBeLessThan(100)
      await leave()
    },
    2 * PATIENCE,
  )
})

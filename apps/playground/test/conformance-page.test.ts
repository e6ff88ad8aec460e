import { conformanceCases } from '@fep-moe/conformance'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConformanceApi } from '../src/conformance/api.js'
import { findChromium } from './browser/chromium.js'
import { type OpenPage, startVisit, type Visit } from './browser/page.js'

/** What of a page's globals these tests use, inside the page. */
declare const window: {
  readonly conformance: ConformanceApi
  readonly conformanceReport?: { readonly ok: boolean; readonly results: readonly unknown[] }
}

const { reason } = await findChromium()

/** A page with a browser under it may share its machine. */
const PATIENCE = 60_000

describe.skipIf(reason !== undefined)(`the conformance page${reason ? ` (${reason})` : ''}`, () => {
  let visit: Visit
  let open: OpenPage
  const says = (words: string) =>
    expect
      .poll(() => open.page.locator('#status').textContent(), { timeout: PATIENCE, interval: 100 })
      .toContain(words)

  beforeAll(async () => {
    visit = await startVisit()
  }, PATIENCE)
  afterAll(() => visit?.close(), PATIENCE)

  it(
    'runs a group when asked with the keyboard, and keeps the report',
    async () => {
      open = await visit.open('conformance.html?group=operators')
      const { page, complaints } = open
      await page.locator('button[type=submit]').focus()
      await page.keyboard.press('Enter')
      await says('all of them as they should')
      const count = conformanceCases().filter((c) => c.group === 'operators').length
      const row = page.getByRole('row', { name: /^operators/ })
      expect(await row.getByRole('cell').allInnerTexts()).toEqual([
        `${count}`,
        `${count}`,
        '0',
        '0',
        expect.stringMatching(/^\d+\.\d$/),
      ])
      const report = await page.evaluate(() => window.conformanceReport)
      expect([report?.ok, report?.results.length]).toEqual([true, count])
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save as JSON' }).click(),
      ])
      expect(download.suggestedFilename()).toBe('conformance.js.json')
      expect(complaints).toEqual([])
      await open.close()
    },
    2 * PATIENCE,
  )

  it(
    'starts by itself where its address names an executor, and stops when asked',
    async () => {
      open = await visit.open('conformance.html?executor=js')
      const { page, complaints } = open
      await page.getByRole('button', { name: 'Stop' }).click()
      await says('stopped before')
      expect(complaints).toEqual([])
      await open.close()
    },
    2 * PATIENCE,
  )

  it(
    'says why an executor does not run',
    async () => {
      open = await visit.open('conformance.html')
      const { page } = open
      await page.addInitScript('delete Navigator.prototype.gpu')
      await page.reload()
      await page.getByLabel('Executor').selectOption('webgpu')
      await page.getByRole('button', { name: 'Run' }).click()
      await says('WebGPU does not run here')
      await open.close()
    },
    2 * PATIENCE,
  )

  it(
    'answers programs with codes',
    async () => {
      open = await visit.open('conformance.html')
      const { page, complaints } = open
      const codes = await page.evaluate(async () => {
        const code = (work: Promise<unknown>) =>
          work.then(
            () => 'none',
            (error: { code?: string }) => error.code,
          )
        return [
          await code(window.conformance.open('abacus')),
          await code(window.conformance.run('operators/Neg/table')),
          await code(window.conformance.run('operators/none')),
        ]
      })
      expect(codes).toEqual(['FEP_BAD_ARGUMENT', 'FEP_CONFORMANCE', 'FEP_CONFORMANCE'])
      expect(complaints).toEqual([])
      await open.close()
    },
    PATIENCE,
  )
})

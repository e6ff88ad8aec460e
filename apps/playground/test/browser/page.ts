/** A page in a browser of its own, with what it complained about. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launch } from './chromium.js'
import { type Site, serveSite } from './site.js'

/** An open page. */
export interface OpenPage {
  readonly page: Page
  /** Errors of the console, uncaught exceptions, failed and foreign requests so far. */
  readonly complaints: readonly string[]
  /** Resolves with the reason when the page is gone. */
  readonly gone: Promise<string>
  close(): Promise<void>
}

/** A browser and the site to visit with it. */
export interface Visit {
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>
  close(): Promise<void>
}

/** Starts a browser and the site. @param flags of the browser */
export async function startVisit(flags: readonly string[] = []): Promise<Visit> {
  const site = await serveSite()
  const browser = await launch(flags).catch(async (error: unknown) => {
    await site.close()
    throw error
  })
  return {
    open: (path, options) => openPage(browser, site, path, options),
    close: async () => {
      await browser.close()
      await site.close()
    },
  }
}

async function openPage(
  browser: Browser,
  site: Site,
  path: string,
  options?: BrowserContextOptions,
): Promise<OpenPage> {
  // Without a locale in its environment, this Chromium calls its language 'en-US@posix', which Intl does not know.
  const context = await browser.newContext({ locale: 'en-US', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`))
  page.on('requestfailed', (request) => complaints.push(`request failed: ${request.url()}`))
  page.on('request', (request) => {
    const { protocol, href } = new URL(request.url())
    const local = href.startsWith(site.url) || protocol === 'blob:' || protocol === 'data:'
    if (!local) complaints.push(`foreign request: ${href}`)
  })
  const gone = new Promise<string>((resolve) => {
    page.on('crash', () => resolve('the page crashed'))
    page.on('close', () => resolve('the page was closed'))
    browser.on('disconnected', () => resolve('the browser ended'))
  })
  await page.goto(new URL(path, site.url).href)
  return { page, complaints, gone, close: () => context.close() }
}

// Downloads pinned files of Python package indexes: the bytes whose SHA-256 is given, or none. pip goes first where
// there is one, because it knows its own mirrors, proxies and credentials; a machine with Node alone reads the index
// itself (the simple API, as JSON or as HTML).
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { indexUrl, parseIndexPage, splitCredentials } from './python-index.mjs'

const run = promisify(execFile)

const ACCEPT =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1'
const ATTEMPTS = 3
const SILENCE = 60_000 // milliseconds without a byte, after which a transfer counts as dead

/**
 * Downloads `wheel` ({ project, version, file, sha256 }) into `folder`.
 * @returns its path; the error of a failure says in one line what was tried
 */
export async function download(wheel, folder) {
  const path = join(folder, wheel.file)
  const failures = []
  for (const fetchIt of [downloadWithPip, downloadWithFetch]) {
    try {
      if (!(await fetchIt(wheel, folder))) continue
      await checkHash(path, wheel.sha256)
      return path
    } catch (error) {
      await rm(path, { force: true })
      failures.push(reasonOf(error))
    }
  }
  throw new Error(`${wheel.project} ${wheel.version} could not be downloaded: ${failures.join('; ')}`)
}

/** Throws unless the file has that SHA-256. */
export async function checkHash(path, sha256) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  const actual = hash.digest('hex')
  if (actual !== sha256) throw new Error(`its SHA-256 is ${actual}, expected ${sha256}`)
}

/** @returns false where there is no pip */
async function downloadWithPip({ project, version }, folder) {
  const python = await findPip()
  if (!python) return false
  const options = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries=2', '--timeout=30']
  const platform = ['--platform=manylinux2014_x86_64', '--implementation=cp', '--python-version=3.11']
  const args = ['download', ...options, '--no-deps', '--only-binary=:all:', ...platform, `--dest=${folder}`]
  try {
    const env = { ...process.env, TMPDIR: folder } // a /tmp in memory may be too small
    await run(python, ['-m', 'pip', ...args, `${project}==${version}`], { env, maxBuffer: 1 << 26 })
  } catch (error) {
    const lines = `${error.stderr}`.trim().split('\n')
    throw new Error(`pip: ${lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1)}`)
  }
  return true
}

async function findPip() {
  for (const python of ['python3', 'python']) {
    try {
      await run(python, ['-m', 'pip', '--version'])
      return python
    } catch {}
  }
  return undefined
}

async function downloadWithFetch(wheel, folder) {
  const { url: index, headers } = splitCredentials(indexUrl())
  try {
    const listed = await persistently(() => list(index, wheel.project, headers))
    const entry = listed.find(({ file }) => file === wheel.file)
    if (!entry) throw new Error(`no ${wheel.file} there`)
    if (entry.sha256 && entry.sha256 !== wheel.sha256) throw new Error(`another ${wheel.file} there`)
    const sameHost = new URL(entry.url).origin === new URL(index).origin
    await persistently(() => save(entry.url, sameHost ? headers : {}, join(folder, wheel.file)))
  } catch (error) {
    throw new Error(`${index}: ${reasonOf(error)}`)
  }
  return true
}

/** Again after a broken connection or an error of the server; not after its refusal. */
async function persistently(work) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if ((error.status >= 400 && error.status < 500) || attempt === ATTEMPTS) throw error
      await pause(1000 * attempt)
    }
  }
}

async function list(index, project, headers) {
  const url = `${index.replace(/\/*$/, '')}/${project}/`
  const page = await get(url, { ...headers, accept: ACCEPT }, AbortSignal.timeout(SILENCE))
  return parseIndexPage(await page.text(), page.headers.get('content-type') ?? '', page.url)
}

async function save(url, headers, path) {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new Error(`no data for ${SILENCE / 1000} s`)), SILENCE)
  const alive = async function* (source) {
    for await (const chunk of source) {
      timer.refresh()
      yield chunk
    }
  }
  try {
    const { body } = await get(url, headers, silence.signal)
    await pipeline(Readable.fromWeb(body), alive, createWriteStream(path))
  } finally {
    clearTimeout(timer)
  }
}

async function get(url, headers, signal) {
  const response = await fetch(url, { headers, signal })
  if (response.ok) return response
  await response.body?.cancel()
  throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status })
}

/** One line. fetch only says 'fetch failed'; its cause says why. */
function reasonOf(error) {
  const { message, code } = error.cause ?? error
  return `${message || code || error}`.split('\n')[0]
}

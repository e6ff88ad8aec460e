// Reads a Python package index without Python: where pip would look, and what a page of the simple API lists (as JSON,
// PEP 691, or as HTML, PEP 503).
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const DEFAULT_INDEX = 'https://pypi.org/simple'

/** Where packages come from: what the environment says, else pip's configuration files, else the public index. */
export function indexUrl(env = process.env, files = pipConfigFiles(env)) {
  const named = env.PIP_INDEX_URL || env.UV_DEFAULT_INDEX || env.UV_INDEX_URL
  if (named) return named
  const settings = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
  return settings.reduce((url, text) => indexUrlOfConfig(text) ?? url, DEFAULT_INDEX)
}

/** pip's configuration files on Linux, the last one winning. Those of one Python installation need that Python. */
function pipConfigFiles(env) {
  if (env.PIP_CONFIG_FILE === '/dev/null') return []
  const system = (env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').map((folder) => join(folder, 'pip/pip.conf'))
  const user = join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'pip/pip.conf')
  const named = [env.VIRTUAL_ENV && join(env.VIRTUAL_ENV, 'pip.conf'), env.PIP_CONFIG_FILE]
  return [...system, '/etc/pip.conf', join(homedir(), '.pip/pip.conf'), user, ...named.filter(Boolean)]
}

/** `index-url` of a pip.conf: that of `pip download` before the global one. */
export function indexUrlOfConfig(text) {
  const found = {}
  let section = ''
  for (const line of text.split(/\r?\n/)) {
    const [, name] = /^\[(.+)\]\s*$/.exec(line) ?? []
    const [, value] = /^index[-_]url\s*[=:]\s*(\S+)\s*$/.exec(line) ?? []
    if (name) section = name
    else if (value) found[section] = value
  }
  return found.download ?? found.global
}

/** The files that a page of the simple API lists: [{ file, url, sha256 }]; sha256 is undefined where it has none. */
export function parseIndexPage(text, contentType, base) {
  const entry = (href, sha256) => {
    const url = new URL(href, base)
    const [, inUrl] = /sha256=([0-9a-f]{64})/.exec(url.hash) ?? []
    url.hash = ''
    return { file: decodeURIComponent(url.pathname.split('/').pop()), url: url.href, sha256: sha256 ?? inUrl }
  }
  if (/[/+]json\b/.test(contentType))
    return JSON.parse(text).files.map(({ url, hashes }) => entry(url, hashes?.sha256))
  const links = text.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)
  return [...links].map(([, double, single]) => entry((double ?? single).replaceAll('&amp;', '&')))
}

/** fetch refuses a URL with a password in it, and no message may show one. */
export function splitCredentials(text) {
  const url = new URL(text)
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ''
  url.password = ''
  const headers = user === ':' ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  return { url: url.href, headers }
}

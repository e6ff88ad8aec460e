// A registry of our own for as long as a rehearsal takes: verdaccio on a port that is free, which has our packages and
// nothing of ours from elsewhere, and passes all other names on to the registry that npm is configured with.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { bin, npm, root } from '../scripts/setup.mjs'
import { run } from './run.mjs'

/** What others published stays here between rehearsals, checked against the registry each time. */
const storage = join(root, 'node_modules/.cache/rehearsal/registry')

/**
 * Starts the registry.
 * @param {string} scratch an empty folder for its configuration and for the homes of clients
 * @returns the URL, the environment that makes npm, pnpm and yarn use it and nothing of the user's, and a function that ends it
 */
export async function startRegistry(scratch) {
  const upstream = (await run(process.execPath, [npm(), 'config', 'get', 'registry'], here())).trim()
  forgetOurs()
  const port = await freePort()
  const url = `http://localhost:${port}/`
  const config = join(scratch, 'verdaccio.json') // YAML takes JSON
  writeFileSync(config, JSON.stringify(configuration(scratch, upstream)))
  const child = spawn(
    process.execPath,
    [bin('verdaccio'), '--config', config, '--listen', `localhost:${port}`],
    {
      cwd: scratch,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  const stop = async () => {
    child.kill()
    await ended
    process.removeListener('exit', killed)
    forgetOurs()
  }
  try {
    await answers(`${url}-/ping`, child)
  } catch (error) {
    await stop()
    throw new Error(`${error.message}\n${Buffer.concat(said)}`)
  }
  return { url, env: clientEnvironment(scratch, url), stop }
}

const here = () => ({ cwd: root, env: process.env })

function forgetOurs() {
  for (const name of ['@fep-moe', 'fep-moe', '.verdaccio-db.json'])
    rmSync(join(storage, name), { recursive: true, force: true })
}

function configuration(scratch, upstream) {
  const anyone = { access: '$all', publish: '$all', unpublish: '$all' }
  return {
    storage,
    auth: { htpasswd: { file: join(scratch, 'htpasswd') } },
    uplinks: { upstream: { url: upstream, timeout: '60s', maxage: '30m', max_fails: 5 } },
    packages: {
      '@fep-moe/*': anyone,
      'fep-moe': anyone,
      '**': { access: '$all', proxy: 'upstream' },
    },
    max_body_size: '100mb',
    log: { type: 'stdout', format: 'pretty', level: 'error' },
  }
}

/** Nothing of the user's reaches npm, pnpm, yarn or git: no registry, no token, no cache, no home. */
function clientEnvironment(scratch, url) {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|yarn_|git_)/i.test(name))
  const home = join(scratch, 'home')
  mkdirSync(home, { recursive: true })
  const npmrc = [
    `registry=${url}`,
    `${url.replace('http:', '')}:_authToken=rehearsal`, // verdaccio asks for none, npm insists
    `cache=${join(scratch, 'npm-cache')}`,
    `store-dir=${join(scratch, 'pnpm-store')}`,
    `cache-dir=${join(scratch, 'pnpm-cache')}`,
    'audit=false',
    'fund=false',
    'update-notifier=false',
  ]
  writeFileSync(join(home, '.npmrc'), `${npmrc.join('\n')}\n`)
  writeFileSync(join(home, '.yarnrc'), `registry "${url}"\ncache-folder "${join(scratch, 'yarn-cache')}"\n`)
  return {
    ...Object.fromEntries(own),
    HOME: home,
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_registry: url,
    NO_PROXY: 'localhost',
    no_proxy: 'localhost',
    CI: 'true',
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, 'localhost', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function answers(url, child) {
  const until = Date.now() + 60_000
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the registry ended with ${child.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > until) throw new Error('the registry does not answer')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

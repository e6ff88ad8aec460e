/** `fep-moe backends`: what can run here. */
import { type Capabilities, FepError } from '@fep-moe/core'
import type { Command } from 'commander'
import { type BackendName, backendEntry, backendNames, openBackend } from '../backends.js'
import { packageVersions } from '../environment.js'

interface BackendState {
  readonly name: BackendName
  readonly module: string
  readonly summary: string
  readonly available: boolean
  /** Name of the backend that a run would get; null where there is none. */
  readonly runs: string | null
  /** Why it is not; null where it is. */
  readonly reason: string | null
  readonly versions: Readonly<Record<string, string>>
  readonly capabilities: Capabilities | null
}

/** Adds the command. */
export function backendsCommand(program: Command): void {
  program
    .command('backends')
    .description('list the backends, and whether each one runs here')
    .option('--json', 'print them as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const states = await Promise.all(backendNames.map(probe))
      const text = json ? JSON.stringify(states, null, 2) : states.map(describe).join('\n')
      process.stdout.write(`${text}\n`)
    })
}

async function probe(name: BackendName): Promise<BackendState> {
  const { module, summary } = backendEntry(name)
  const base = { name, module, summary, versions: packageVersions(name) }
  try {
    const backend = await openBackend(name)
    const { capabilities, name: runs } = backend
    await backend.dispose()
    return { ...base, available: true, runs, reason: null, capabilities }
  } catch (error) {
    const reason = error instanceof FepError ? error.message : String(error)
    return { ...base, available: false, runs: null, reason, capabilities: null }
  }
}

function describe({ name, summary, available, runs, reason, versions, capabilities }: BackendState): string {
  const installed = Object.entries(versions).filter(
    ([key]) => !['fep-moe', '@fep-moe/experiments'].includes(key),
  )
  const list = installed.map(([key, version]) => `${key} ${version}`).join(', ')
  const graphics = capabilities && adapterOf(capabilities)
  const found = graphics ?? (runs === name ? undefined : runs)
  const picked = found ? `: ${found}` : ''
  return `${name.padEnd(11)} ${available ? 'available' : 'missing  '}  ${summary}${picked} (${list})${reason ? `\n            ${reason}` : ''}`
}

/** The graphics adapter; undefined for what runs on a processor by design. */
function adapterOf({ device, adapter = 'an adapter without a name' }: Capabilities): string | undefined {
  if (device === 'cpu') return undefined
  return device === 'software-gpu' ? `${adapter}, software` : adapter
}

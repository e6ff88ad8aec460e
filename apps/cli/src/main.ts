/** The command line: its commands, and what ends up as an exit status. */
import { Command } from 'commander'
import { backendsCommand } from './commands/backends.js'
import { benchCommand } from './commands/bench.js'
import { boundsCommand } from './commands/bounds.js'
import { claimsCommand } from './commands/claims.js'
import { conformanceCommand } from './commands/conformance.js'
import { gateCommand } from './commands/gate.js'
import { reportCommand } from './commands/report.js'
import { reproduceCommand } from './commands/reproduce.js'
import { ownVersion } from './environment.js'
import { reportError, STATUS } from './status.js'

const EPILOG = `
Exit status: 0 done, 1 a check or a run failed, 2 usage or configuration, 3 a backend is missing, 130 interrupted.
Errors are one line on stderr; FEP_DEBUG=1 adds the stack.`

/**
 * All commands, none of them run.
 * @param finish takes the exit status of a command that ends with another one than 0
 */
export function createProgram(finish: (status: number) => void): Command {
  const program = new Command('fep-moe')
    .description('Free-energy gates for mixture-of-experts: reproduce the papers, check and time backends.')
    .version(ownVersion())
    // Set before the commands are added: they inherit both.
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .addHelpText('after', EPILOG)
  for (const add of [
    reproduceCommand,
    reportCommand,
    claimsCommand,
    boundsCommand,
    benchCommand,
    conformanceCommand,
    gateCommand,
    backendsCommand,
  ])
    add(program, finish)
  return program
}

/** Runs one command line. @returns its exit status */
export async function main(argv: readonly string[]): Promise<number> {
  let status: number = STATUS.done
  const program = createProgram((value) => {
    status = value
  })
  if (argv.length === 0) {
    program.outputHelp()
    return STATUS.done
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    return reportError(error)
  }
}

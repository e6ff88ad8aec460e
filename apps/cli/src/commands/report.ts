/** `fep-moe report`: one report of all results in a folder. */

import { FepError } from '@fep-moe/core'
import { experiments } from '@fep-moe/experiments'
import { htmlReport, makeReport, markdownReport, readClaims } from '@fep-moe/experiments/report'
import type { Command } from 'commander'
import { openOutput } from '../output.js'
import { findResults, REPORT_FILES, RESULTS_FOLDER } from '../results-folder.js'

/** Adds the command. */
export function reportCommand(program: Command): void {
  program
    .command('report')
    .description('write one report of all results in a folder')
    .option('--out <folder>', `results, or a folder of them (default: ./${RESULTS_FOLDER})`)
    .action(async ({ out = RESULTS_FOLDER }: { out?: string }) => {
      const results = findResults(out)
      if (results.size === 0)
        throw new FepError(
          'FEP_IO',
          `${out} holds no results; run \`fep-moe reproduce\` first, or name another with --out`,
        )
      const claims = readClaims()
      const order = experiments.map(({ name }) => name)
      const reports = [...results.values()]
        .sort((a, b) => order.indexOf(a.experiment) - order.indexOf(b.experiment))
        .map((one) => makeReport(one, claims))
      const output = openOutput(out, Object.values(REPORT_FILES))
      const html = output.write(REPORT_FILES.html, await htmlReport(reports))
      output.write(REPORT_FILES.markdown, markdownReport(reports))
      process.stdout.write(`report: ${html}\n`)
    })
}

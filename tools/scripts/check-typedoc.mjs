// Every export of every entry is documented, and every link in a comment leads somewhere: TypeDoc without a warning.

import { join } from 'node:path'
import { Application, LogLevel } from 'typedoc'
import { entryPoints } from './entry-points.mjs'
import { root, setup } from './setup.mjs'

/** What a reader looks up by itself. Signatures and members of types carry their comments where they say more than the name. */
const DOCUMENTED = ['Enum', 'Variable', 'Function', 'Class', 'Interface', 'TypeAlias', 'Namespace']

await setup({ build: false })
const app = await Application.bootstrap({
  entryPoints: entryPoints.map(({ directory, source }) => join(root, directory, source)),
  tsconfig: join(root, 'tsconfig.json'),
  basePath: root,
  readme: 'none',
  logLevel: LogLevel.Warn,
  excludeInternal: true,
  excludePrivate: true,
  validation: {
    notExported: false,
    invalidLink: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
  requiredToBeDocumented: DOCUMENTED,
  packagesRequiringDocumentation: [
    ...new Set(entryPoints.map(({ name }) => name.match(/^@[^/]+\/[^/]+/)[0])),
  ],
  treatValidationWarningsAsErrors: true,
  treatWarningsAsErrors: true,
  disableSources: true, // nothing is published from here, and a clone's remote may be a folder
  skipErrorChecking: true, // `npm run typecheck` reports those
})
const project = await app.convert()
if (project) app.validate(project)
const { errorCount, warningCount } = app.logger
console.log(`${entryPoints.length} entries: ${errorCount} errors, ${warningCount} warnings`)
process.exitCode = project && errorCount + warningCount === 0 ? 0 : 1

// docs/errors.md: every error code with the sentence that its source carries.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { root } from './setup.mjs'

/** Codes and their comments, in source order. */
export function errorCodes() {
  const path = join(root, 'packages/core/src/errors.ts')
  const text = readFileSync(path, 'utf8')
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const union = source.statements.find(
    (node) => ts.isTypeAliasDeclaration(node) && node.name.text === 'FepErrorCode',
  ).type
  return union.types.map((member, i) => {
    // The comment stands before the `|`, so it belongs to no node.
    const before = text.slice(union.types[i - 1]?.end ?? union.pos, member.getStart())
    const comment = before.match(/\/\*\*(.*?)\*\//s)?.[1] ?? ''
    const meaning = comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim()
    if (!meaning) throw new Error(`${member.literal.text} has no comment in packages/core/src/errors.ts`)
    return { code: member.literal.text, meaning }
  })
}

/** The page. */
export function errorsPage() {
  const rows = errorCodes().map(({ code, meaning }) => `| \`${code}\` | ${meaning} |`)
  return `# Error codes

Everything that fep-moe throws on purpose is an \`FepError\` with one of these codes. A code never changes its meaning, and a
minor release may add one; messages are for people and may improve in any release. Match on \`error.code\`.

| code | when |
| --- | --- |
${rows.join('\n')}

The command line prints \`error CODE: message\` on stderr and exits with 2 where the caller can mend it (a flag, a
configuration, a file), 3 where a runtime is missing, 130 after an interrupt, 1 otherwise.
`
}

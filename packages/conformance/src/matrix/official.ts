/** What was taken of the official ONNX vectors, and what was not, as Markdown. */
import { officialCoverage, officialOthers, officialSource } from '../official/vectors/coverage.js'

/** Operators that are ours, with counts and reasons; the rest is one number. */
export function officialTable(): string {
  const { package: name, version, folders } = officialSource
  const rows = Object.entries(officialCoverage)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([op, { taken, dropped }]) => {
      const reasons = Object.entries(dropped).map(([reason, count]) => `${count}: ${reason}`)
      return `| ${op} | ${taken} | ${reasons.join('; ')} |`
    })
  const taken = Object.values(officialCoverage).reduce((n, op) => n + op.taken, 0)
  const others = Object.values(officialOthers).reduce((n, count) => n + count, 0)
  return `Of the ${folders} folders of node tests in \`${name}\` ${version}, ${taken} are cases here. ${others} try operators that are neither
ours nor another spelling of ours. int64 is narrowed to int32 where the values fit.

| ONNX operator | taken | not taken |
| --- | ---: | --- |
${rows.join('\n')}`
}

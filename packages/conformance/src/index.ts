/**
 * The suite that every fep-moe backend must pass. Cases are data; a test runner and a backend factory are passed in.
 * @packageDocumentation
 */
export { conformanceCases } from './cases.js'
export * from './frame/case.js'
export * from './frame/compare.js'
export { type Lane, Probe } from './frame/probe.js'
export * from './frame/result.js'
export { type RunOptions, runConformance } from './frame/run.js'
export { runCase } from './frame/run-case.js'
export { conformance, type Runner, type SuiteOptions } from './frame/suite.js'
export {
  type FragileDecision,
  type FuzzFailure,
  type FuzzOptions,
  type FuzzReport,
  fuzz,
} from './fuzz/fuzz.js'
export * from './matrix/lane.js'
export * from './matrix/markdown.js'
export * from './matrix/page.js'
export { officialNames } from './official/names.js'
export type { OfficialCoverage } from './official/vector.js'
export { officialCoverage, officialOthers, officialSource } from './official/vectors/coverage.js'

/**
 * Reports of experiments and the claims that come with them. Node only: it reads files, and loads a plotting library
 * where a figure is drawn.
 * @packageDocumentation
 */
export { readClaims } from '../claims/read.js'
export { figureSvgs, type PanelSvg } from './charts.js'
export { htmlReport } from './html.js'
export { claimsSummary, markdownReport } from './markdown.js'
export { countVerdicts, makeReport, type Report } from './report.js'

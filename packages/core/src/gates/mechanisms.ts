/** What `on-demand.ts` fetches, in one piece. */
export { composeBelief } from './belief.js'
export { clockReadings, readClock } from './clock.js'

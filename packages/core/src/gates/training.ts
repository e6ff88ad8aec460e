/** What training a gate needs; loaded on demand, in one piece: bundlers make a file of every module loaded so. */
export { openTrainer } from '../training/trainer.js'
export { createTrainer } from './trainer.js'
export { gateVjp } from './vjp.js'

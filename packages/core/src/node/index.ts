/**
 * Files in Node: opened without reading them whole, and written so that they are whole or not there.
 * @packageDocumentation
 */
export { type OpenFile, openFile } from './open-file.js'
export { writeFileDurably } from './write-file.js'

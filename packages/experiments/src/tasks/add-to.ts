/**
 * Adds a value to elements start..end−1. A function of its own, with nothing from outside in its loop: in a closure V8 takes
 * four times as long.
 */
export function addTo(x: Float32Array, start: number, end: number, value: number): void {
  for (let i = start | 0; i < end; i++) x[i] = (x[i] as number) + value
}

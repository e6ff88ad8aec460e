/** How small a program must be for generated JavaScript to beat a call into a native runtime. */

/**
 * Floating-point operations of one run (a multiply-add is two) below which generated JavaScript is the faster executor
 * whatever the program: about 60,000 multiply-adds in loops take as long as handing the call to ONNX Runtime and back. A
 * program of constant matrices and one vector, such as a step of `gate.stream`, is faster here up to four times that size
 * (`fep-moe bench stream --backend js`, `--backend onnx`).
 */
export const SMALL_PROGRAM = 120_000

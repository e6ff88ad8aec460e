/** UTF-8 both ways; every host has these two, but they are in no library of the language. */
declare class TextDecoder {
  constructor(encoding: string, options: { readonly fatal: boolean; readonly ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>
}

/** @throws TypeError where the bytes are not UTF-8 */
export const fromUtf8 = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

/** Bytes of a text. */
export const toUtf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

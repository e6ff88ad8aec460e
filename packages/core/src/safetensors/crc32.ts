/** CRC-32 as zip and PNG have it (ISO 3309, reflected polynomial 0xEDB88320): finds damage, not malice. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  return c
})

/** The checksum of byte sequences, one after the other. */
export function crc32(...parts: readonly Uint8Array[]): number {
  let c = 0xffffffff
  for (const bytes of parts)
    for (let i = 0; i < bytes.length; i++) c = (TABLE[(c ^ (bytes[i] as number)) & 255] as number) ^ (c >>> 8)
  return ~c >>> 0
}

/**
 * CRC-32C (Castagnoli), the checksum of the EROFS superblock; polynomial 0x1EDC6F41, reflected
 * (RFC 3720, appendix B.4 gives test vectors).
 *
 * Neighbours: `writer.ts` computes the checksum, `reader.ts` verifies it.
 */

const REFLECTED_POLYNOMIAL = 0x82f63b78;

/** table[b]: the remainder of the byte b followed by 32 zero bits. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ REFLECTED_POLYNOMIAL : remainder >>> 1;
  }
  return remainder;
});

/**
 * Continues a CRC over `bytes`, without the final inversion. EROFS starts with 0xffffffff and
 * stores the register as it is; RFC 3720 inverts it at the end.
 */
export function crc32c(seed: number, bytes: Uint8Array): number {
  let register = seed;
  for (const byte of bytes) {
    register = (register >>> 8) ^ (table[(register ^ byte) & 0xff] ?? 0);
  }
  return register >>> 0;
}

/** The superblock's checksum: block 0 from the superblock on, its checksum field taken as zero. */
export function superblockChecksum(block0: Uint8Array, superblockOffsetBytes: number): number {
  const covered = Uint8Array.from(block0.subarray(superblockOffsetBytes));
  covered.fill(0, 4, 8);
  return crc32c(0xffff_ffff, covered);
}

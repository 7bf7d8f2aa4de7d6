/**
 * Decompresses the legacy LZ4 frame that Linux kernels are packed in.
 *
 *     magic 0x184c2102 | size of block, block | size of block, block | …
 *     block: sequences of  token | literals | offset (2 bytes) | match
 *
 * @see LZ4 Frame Format, "Legacy frame"; LZ4 Block Format
 */

const magic = 0x184c2102;
const blockLimitBytes = 8 * 1024 ** 2;
const shortestMatch = 4;

/** Whether the bytes begin like a legacy LZ4 frame. */
export function isLegacyLz4(bytes: Buffer): boolean {
  return bytes.length >= 4 && bytes.readUInt32LE(0) === magic;
}

/**
 * Decompresses a frame.
 * @param bytes the frame, perhaps followed by other bytes
 * @param sizeBytes what it decompresses to
 */
export function decompressLegacyLz4(bytes: Buffer, sizeBytes: number): Buffer {
  const output = Buffer.allocUnsafe(sizeBytes);
  let written = 0;
  for (let at = 4; written < sizeBytes && at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const block = bytes.subarray(at + 4, at + 4 + length);
    written = decompressBlock(block, output, written);
    at += 4 + length;
  }
  if (written !== sizeBytes) {
    throw new Error(`LZ4 frame holds ${written} bytes instead of ${sizeBytes}`);
  }
  return output;
}

/** Appends one block's content to the output and returns where it then ends. */
function decompressBlock(block: Buffer, output: Buffer, start: number): number {
  let read = 0;
  let written = start;
  const byte = (): number => {
    const value = block[read];
    if (value === undefined) throw new Error("LZ4 block ends too soon");
    read += 1;
    return value;
  };
  const extended = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15; more; ) {
      const value = byte();
      length += value;
      more = value === 255;
    }
    return length;
  };
  while (read < block.length) {
    const token = byte();
    const literals = extended(token >> 4);
    if (read + literals > block.length) throw new Error("LZ4 block ends too soon");
    block.copy(output, written, read, read + literals);
    read += literals;
    written += literals;
    // The last sequence has no match.
    if (read >= block.length) break;
    const offset = byte() | (byte() << 8);
    const length = extended(token & 15) + shortestMatch;
    if (offset === 0 || offset > written - start || written + length > output.length) {
      throw new Error("LZ4 block refers to bytes outside itself");
    }
    copyMatch(output, written, offset, length);
    written += length;
  }
  if (written - start > blockLimitBytes) throw new Error("LZ4 block is too large");
  return written;
}

/** Copies earlier output; source and destination may overlap, which repeats a pattern. */
function copyMatch(output: Buffer, at: number, offset: number, length: number): void {
  if (offset >= length) {
    output.copyWithin(at, at - offset, at - offset + length);
    return;
  }
  for (let index = 0; index < length; index += 1) {
    output[at + index] = output[at + index - offset] ?? 0;
  }
}

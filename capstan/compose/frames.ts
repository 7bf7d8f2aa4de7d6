/**
 * Frames on QEMU's streams (`-netdev stream`): each behind its length in four bytes, big endian.
 *
 * Neighbour: `switch.ts`; the benchmark's wire (`bench/network/wire.ts`) reads them, too.
 */
import type { Socket } from "node:net";

export const LENGTH_BYTES = 4;
/** Two addresses and the type. */
const HEADER_BYTES = 14;
/** A frame with the largest TCP segment that QEMU passes on, and some room. */
const MAX_FRAME_BYTES = 72 * 1024;

/**
 * Calls `arrived` for each frame that comes.
 * @param arrived gets the frame with its length in front, as it is to be written again
 */
export function readFrames(port: Socket, arrived: (message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  port.on("data", (bytes: Buffer) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(0);
      if (length > MAX_FRAME_BYTES) {
        // Not our format: everything after it would be misread.
        port.destroy();
        return;
      }
      const end = LENGTH_BYTES + length;
      if (rest.length < end) break;
      if (length >= HEADER_BYTES) arrived(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
}

/** A copy of a frame with its length in front. */
export function withLength(frame: Buffer): Buffer {
  const message = Buffer.alloc(LENGTH_BYTES + frame.length);
  message.writeUInt32BE(frame.length, 0);
  frame.copy(message, LENGTH_BYTES);
  return message;
}

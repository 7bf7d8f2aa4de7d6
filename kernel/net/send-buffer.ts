/**
 * The bytes that a TCP connection has still to send, or that are not acknowledged yet: a list of
 * chunks, filled at the end and emptied at the front.
 *
 *     first ─► +------+-------+--------+----------+---------+
 *              | next | start | length | capacity | bytes … | ─► next chunk
 *              +------+-------+--------+----------+---------+
 *
 * Lock: the connection's. Neighbours: `tcp-socket.ts` fills it, `tcp-output.ts` reads it.
 */
import { heapAllocate, heapFree } from "../mm/heap";

@unmanaged
class Chunk {
  next: usize;
  /** Offset of the first byte that is not acknowledged. */
  start: u32;
  /** Bytes from `start`. */
  length: u32;
  capacity: u32;
  reserved: u32;
}

const HEADER: usize = 24;
/** Small writes share chunks of this many bytes. */
const CHUNK_MIN: u32 = 2048 - 24;

/** A chunk with room for `bytes`; 0 without memory. */
export function newChunk(bytes: u32): usize {
  const capacity = max(bytes, CHUNK_MIN);
  const address = heapAllocate(HEADER + capacity);
  if (address == 0) return 0;
  const chunk = changetype<Chunk>(address);
  chunk.next = 0;
  chunk.start = 0;
  chunk.length = bytes;
  chunk.capacity = capacity;
  return address;
}

/** Where the bytes of a chunk that was just made go. */
export function chunkBytes(chunk: usize): usize {
  return chunk + HEADER;
}

/** Frees a chunk that is in no buffer. */
export function freeChunk(chunk: usize): void {
  heapFree(chunk);
}

export class SendBuffer {
  private first: usize = 0;
  private last: usize = 0;
  length: u32 = 0;

  /** Appends a chunk, which it takes; small ones are copied to the end of the last. */
  append(address: usize): void {
    const chunk = changetype<Chunk>(address);
    this.length += chunk.length;
    if (this.last != 0) {
      const last = changetype<Chunk>(this.last);
      const end = last.start + last.length;
      if (chunk.length <= last.capacity - end) {
        memory.copy(this.last + HEADER + end, address + HEADER, chunk.length);
        last.length += chunk.length;
        heapFree(address);
        return;
      }
      last.next = address;
    } else this.first = address;
    this.last = address;
  }

  /** Forgets the first `bytes`. */
  drop(bytes: u32): void {
    let left = min(bytes, this.length);
    this.length -= left;
    while (left > 0) {
      const chunk = changetype<Chunk>(this.first);
      if (left < chunk.length) {
        chunk.start += left;
        chunk.length -= left;
        return;
      }
      left -= chunk.length;
      const next = chunk.next;
      heapFree(this.first);
      this.first = next;
      if (next == 0) this.last = 0;
    }
  }

  /** Copies `bytes` from `offset` on; they must be there. */
  copy(offset: u32, destination: usize, bytes: u32): void {
    let at = this.first;
    let skip = offset;
    let done: u32 = 0;
    while (done < bytes) {
      const chunk = changetype<Chunk>(at);
      if (skip < chunk.length) {
        const part = min(chunk.length - skip, bytes - done);
        memory.copy(destination + done, at + HEADER + chunk.start + skip, part);
        done += part;
        skip = 0;
      } else skip -= chunk.length;
      at = chunk.next;
    }
  }

  /** Frees everything. */
  clear(): void {
    while (this.first != 0) {
      const next = changetype<Chunk>(this.first).next;
      heapFree(this.first);
      this.first = next;
    }
    this.last = 0;
    this.length = 0;
  }
}

/**
 * The bytes that a TCP connection has still to send, or that are not acknowledged yet: a list of
 * chunks, filled at the end and emptied at the front.
 *
 *     first ─► +---------+------+-------+--------+----------+---------+
 *              | holders | next | start | length | capacity | bytes … | ─► next chunk
 *              +---------+------+-------+--------+----------+---------+
 *
 * A chunk is a shared block (`dev/packet.ts`): packets on their way to a device refer to its bytes,
 * which may outlive their place in the buffer. Bytes never change once they are in.
 *
 * Lock: the connection's. Neighbours: `tcp-socket.ts` fills it, `tcp-output.ts` reads it.
 */
import { addPart, Packet, releaseBlock } from "../dev/packet";
import { EFAULT, ENOBUFS, asError } from "../lib/errno";
import { heapAllocate } from "../mm/heap";
import { copyFromList } from "./buffer-list";

@unmanaged
class Chunk {
  holders: u32;
  capacity: u32;
  next: usize;
  /** Offset of the first byte that is not acknowledged. */
  start: u32;
  /** Bytes from `start`. */
  length: u32;
}

const HEADER: usize = 24;
/** Small writes share chunks of this many bytes. */
const CHUNK_MIN: u32 = 2048 - 24;
/** Large writes fill chunks of whole pages. */
const CHUNK_MAX: u32 = 16384 - 24;

/** A chunk of `bytes`, which are to be written; 0 without memory. */
export function newChunk(bytes: u32): usize {
  const capacity = max(bytes, CHUNK_MIN);
  const address = heapAllocate(HEADER + capacity);
  if (address == 0) return 0;
  const chunk = changetype<Chunk>(address);
  chunk.holders = 1;
  chunk.next = 0;
  chunk.start = 0;
  chunk.length = bytes;
  chunk.capacity = capacity;
  return address;
}

/** Where a new chunk's bytes are written. */
export function chunkBytes(chunk: usize): usize {
  return chunk + HEADER;
}

/** Says how many of a new chunk's bytes have been written. */
export function setChunkLength(chunk: usize, bytes: u32): void {
  changetype<Chunk>(chunk).length = bytes;
}

/**
 * Copies `bytes` of a buffer list, after its first `skip`, into new chunks.
 * @returns the first one, the others linked to it, or -ENOBUFS or -EFAULT
 */
export function copyToChunks(list: usize, skip: usize, bytes: u32): usize {
  let first: usize = 0;
  let last: usize = 0;
  for (let done: u32 = 0; done < bytes; ) {
    const part = min(bytes - done, CHUNK_MAX);
    const added = newChunk(part);
    const isCopied = added != 0 && copyFromList(list, skip + done, added + HEADER, part);
    if (last != 0) changetype<Chunk>(last).next = added;
    else first = added;
    if (!isCopied) {
      freeChunks(first);
      return asError(added == 0 ? -ENOBUFS : -EFAULT);
    }
    last = added;
    done += part;
  }
  return first;
}

/** Frees chunks that are in no buffer. */
export function freeChunks(first: usize): void {
  let at = first;
  while (at != 0) {
    const next = changetype<Chunk>(at).next;
    releaseBlock(at);
    at = next;
  }
}

export class SendBuffer {
  private first: usize = 0;
  private last: usize = 0;
  length: u32 = 0;

  /** Appends chunks, which it takes; small ones are copied to the end of the last. */
  append(first: usize): void {
    let at = first;
    while (at != 0) {
      const next = changetype<Chunk>(at).next;
      changetype<Chunk>(at).next = 0;
      this.appendOne(at);
      at = next;
    }
  }

  private appendOne(address: usize): void {
    const chunk = changetype<Chunk>(address);
    this.length += chunk.length;
    if (this.last != 0) {
      const last = changetype<Chunk>(this.last);
      const end = last.start + last.length;
      if (chunk.length <= last.capacity - end) {
        memory.copy(this.last + HEADER + end, address + HEADER, chunk.length);
        last.length += chunk.length;
        releaseBlock(address);
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
      releaseBlock(this.first);
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

  /** Makes `bytes` from `offset` on, which must be there, further parts of a packet: no copy. */
  attach(offset: u32, packet: Packet, bytes: u32): bool {
    let at = this.first;
    let skip = offset;
    let last: usize = 0;
    while (packet.moreBytes < bytes) {
      const chunk = changetype<Chunk>(at);
      if (skip < chunk.length) {
        const part = min(chunk.length - skip, bytes - packet.moreBytes);
        last = addPart(packet, last, at, at + HEADER + chunk.start + skip, part);
        if (last == 0) return false;
        skip = 0;
      } else skip -= chunk.length;
      at = chunk.next;
    }
    return true;
  }

  /** Frees everything. */
  clear(): void {
    freeChunks(this.first);
    this.first = 0;
    this.last = 0;
    this.length = 0;
  }
}

/**
 * One client's conversation, whatever carries it: cuts what arrives into requests, gives each to the
 * protocol of its first byte. A request that lies whole in a packet is carried out where it lies; one in
 * pieces is collected first.
 *
 * Lock: that of the connection or datagram socket. Neighbours: `text-protocol.ts`, `binary-protocol.ts`,
 * `reply.ts`, `stream-service.ts` and `datagrams.ts`, which own sessions.
 */
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { BINARY_REQUEST, binaryRequestBytes, executeBinary } from "./binary-protocol";
import { Reply } from "./reply";
import { Settings } from "./settings";
import { Store } from "./store";
import { executeText, textRequestBytes } from "./text-protocol";
import { Words } from "./words";

/** `…RequestBytes`: the end of the request cannot be seen yet. */
export const INCOMPLETE: i64 = 0;
/** `…RequestBytes`: what comes is no request, or one too large to be collected. */
export const BROKEN: i64 = -1;

const PIECES_MIN: usize = 2048;

export class Session {
  readonly words: Words = new Words();
  /** The client wants no more, or was not understood: ends when the reply has been sent. */
  isOver: bool = false;
  /** Whole requests wait because answers do: `resume` goes on. */
  isHeldUp: bool = false;
  /** What has arrived of a request in pieces. */
  private pieces: usize = 0;
  private pieceBytes: usize = 0;
  private pieceCapacity: usize = 0;
  /** Bytes to come of a value that is too large; they are dropped. */
  skipBytes: u64 = 0;
  /** Length of that request, or INCOMPLETE. */
  private wanted: i64 = INCOMPLETE;

  constructor(
    readonly store: Store,
    readonly settings: Settings,
    readonly reply: Reply,
  ) {}

  /** Takes bytes that have arrived; carries out the requests that they complete. */
  feed(address: usize, bytes: usize): void {
    let at = address;
    let left = bytes;
    while (left > 0 && !this.isOver) {
      if (this.skipBytes > 0) {
        const part = <usize>min<u64>(this.skipBytes, left);
        this.skipBytes -= part;
        at += part;
        left -= part;
        continue;
      }
      if (this.reply.isFull) {
        this.isHeldUp = true;
        this.collect(at, left);
        return;
      }
      if (this.pieceBytes == 0) {
        const length = this.lengthOf(at, left);
        if (length == BROKEN) return;
        if (length == INCOMPLETE || <usize>length > left) {
          this.wanted = length;
          this.collect(at, left);
          return;
        }
        this.execute(at, <usize>length);
        at += <usize>length;
        left -= <usize>length;
        continue;
      }
      const part =
        this.wanted == INCOMPLETE ? left : min<usize>(left, <usize>this.wanted - this.pieceBytes);
      if (!this.collect(at, part)) return;
      at += part;
      left -= part;
      this.executePieces();
    }
  }

  /** Carries out what has been collected, as far as it is complete; what follows it stays. */
  private executePieces(): void {
    let start: usize = 0;
    while (start < this.pieceBytes && !this.isOver) {
      const rest = this.pieceBytes - start;
      if (this.skipBytes > 0) {
        const part = <usize>min<u64>(this.skipBytes, rest);
        this.skipBytes -= part;
        start += part;
        continue;
      }
      if (this.reply.isFull) {
        this.isHeldUp = true;
        break;
      }
      if (this.wanted == INCOMPLETE) this.wanted = this.lengthOf(this.pieces + start, rest);
      if (this.wanted == BROKEN) return;
      if (this.wanted == INCOMPLETE || <usize>this.wanted > rest) break;
      this.execute(this.pieces + start, <usize>this.wanted);
      start += <usize>this.wanted;
      this.wanted = INCOMPLETE;
    }
    this.pieceBytes -= start;
    if (this.pieceBytes > 0 && start > 0) {
      memory.copy(this.pieces, this.pieces + start, this.pieceBytes);
    } else if (this.pieceBytes == 0) this.dropPieces();
  }

  private lengthOf(at: usize, left: usize): i64 {
    const length =
      load<u8>(at) == BINARY_REQUEST
        ? binaryRequestBytes(this, at, left)
        : textRequestBytes(this, at, left);
    if (length == BROKEN) {
      this.isOver = true;
      this.dropPieces();
    }
    return length;
  }

  private execute(at: usize, bytes: usize): void {
    this.store.lock.acquire();
    if (load<u8>(at) == BINARY_REQUEST) executeBinary(this, at);
    else executeText(this, at, bytes);
    this.store.lock.release();
  }

  /** Keeps bytes of a request in pieces; false without memory, which ends the session. */
  private collect(at: usize, bytes: usize): bool {
    const needed = max(this.pieceBytes + bytes, this.wanted > 0 ? <usize>this.wanted : 0);
    if (needed > this.pieceCapacity) {
      const capacity = max(needed, max(PIECES_MIN, this.pieceCapacity * 2));
      const larger = heapAllocate(capacity);
      if (larger == 0) {
        this.isOver = true;
        this.dropPieces();
        return false;
      }
      if (this.pieceBytes > 0) memory.copy(larger, this.pieces, this.pieceBytes);
      if (this.pieces != 0) heapFree(this.pieces);
      this.pieces = larger;
      this.pieceCapacity = capacity;
    }
    memory.copy(this.pieces + this.pieceBytes, at, bytes);
    this.pieceBytes += bytes;
    return true;
  }

  private dropPieces(): void {
    if (this.pieces != 0) heapFree(this.pieces);
    this.pieces = 0;
    this.pieceBytes = 0;
    this.pieceCapacity = 0;
    this.wanted = INCOMPLETE;
  }

  /** Carries out requests that had to wait for room. */
  resume(): void {
    this.isHeldUp = false;
    this.executePieces();
  }

  /** Forgets everything: the next bytes begin anew. */
  reset(): void {
    this.dropPieces();
    this.skipBytes = 0;
    this.isOver = false;
    this.isHeldUp = false;
  }

  dispose(): void {
    this.dropPieces();
    free(this.words);
    free(this);
  }
}

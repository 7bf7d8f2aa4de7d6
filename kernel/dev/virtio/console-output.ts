/**
 * Output of a virtio console port: an `OutputRing` emptied through the port's transmit queue
 * (VIRTIO 1.2, section 5.3.6).
 *
 * Buffers are pieces of the ring itself. A few are in flight at a time; what is written meanwhile
 * waits and is merged. Interrupts are asked for only while somebody waits or something is unsent:
 * a device that takes output while it is notified never interrupts.
 */
import { physicalAddress } from "../dma";
import { OutputRing } from "../console/output-ring";
import { WaitQueue } from "../../sched/wait";
import { Transport } from "./transport";
import { Virtqueue } from "./virtqueue";

/** Ring size: large enough that a fast writer seldom sleeps. */
const RING_BYTES: usize = 32768;
/** Pieces in flight; a power of two. */
const MAX_PIECES: u32 = 4;

export class ConsoleOutput extends OutputRing {
  /** For each piece in flight the position after it, and whether the device is done with it. */
  private pieceEnd: StaticArray<u64> = new StaticArray<u64>(<i32>MAX_PIECES);
  private pieceDone: StaticArray<bool> = new StaticArray<bool>(<i32>MAX_PIECES);
  private firstPiece: u32 = 0;
  private pieces: u32 = 0;

  constructor(
    readonly transport: Transport,
    readonly queue: Virtqueue,
    changed: WaitQueue,
  ) {
    super(RING_BYTES, changed);
    queue.disableInterrupts();
  }

  protected advance(): bool {
    const queue = this.queue;
    let notify = false;
    for (;;) {
      this.reclaim();
      while (this.sent < this.written && this.pieces < MAX_PIECES && queue.freeCount > 0) {
        this.sendPiece();
      }
      if (queue.publish()) notify = true;
      const interested = this.sent != this.written || (this.wanted && this.freed != this.written);
      if (!interested || queue.broken) {
        queue.disableInterrupts();
        break;
      }
      if (!queue.enableInterrupts()) break;
    }
    return notify;
  }

  private sendPiece(): void {
    const offset = <usize>(this.sent & (this.sizeBytes - 1));
    const length = min(<usize>(this.written - this.sent), this.sizeBytes - offset);
    const piece = (this.firstPiece + this.pieces) & (MAX_PIECES - 1);
    this.queue.append(physicalAddress(this.ring + offset), <u32>length, false);
    this.queue.endChain(piece);
    this.sent += length;
    this.pieceEnd[piece] = this.sent;
    this.pieceDone[piece] = false;
    this.pieces++;
  }

  /** Frees what the device is done with; pieces may come back in any order. */
  private reclaim(): void {
    const queue = this.queue;
    while (queue.takeUsed()) this.pieceDone[<u32>queue.usedToken] = true;
    while (this.pieces > 0 && this.pieceDone[this.firstPiece]) {
      this.freed = this.pieceEnd[this.firstPiece];
      this.firstPiece = (this.firstPiece + 1) & (MAX_PIECES - 1);
      this.pieces--;
    }
    if (queue.broken) {
      this.hungUp = true;
      this.changed.wakeAll();
    }
  }

  protected notify(): void {
    this.transport.notify(this.queue);
  }
}

/**
 * Named pipes (fifo(7)): all who open the same node share a pipe, which lives while it is open.
 *
 * Lock: `fifoLock` guards the tie between a node and its pipe. The node's `attachment` is the pipe,
 * without a reference: each open end holds one.
 * Neighbours: `pipe`, `special`.
 */
import { SpinLock } from "../arch/spinlock";
import { ENOMEM, ENXIO, asError } from "../lib/errno";
import { kernelMemoryIsShort } from "./page-cache";
import { O_ACCMODE, O_NONBLOCK, O_RDONLY, O_WRONLY } from "./constants";
import { Dentry } from "./dentry";
import { Pipe } from "./pipe";
import { PipeFile } from "./pipe-file";
import { Vnode } from "./vnode";
import { retainIfAlive } from "./weak";

const fifoLock = new SpinLock();

/** The pipe of a named node; leaves the node when its last end closes. */
class FifoPipe extends Pipe {
  constructor(private vnode: Vnode) {
    super();
  }

  destroy(): void {
    fifoLock.acquire();
    if (this.vnode.attachment == changetype<usize>(this)) this.vnode.attachment = 0;
    fifoLock.release();
    super.destroy();
  }
}

/**
 * Opens a fifo. A reader waits for a writer and the other way round, unless O_NONBLOCK; a
 * non-blocking writer without a reader gets -ENXIO.
 */
export function openFifo(vnode: Vnode, dentry: Dentry, flags: u32): usize {
  if (kernelMemoryIsShort()) return asError(-ENOMEM);
  const pipe = pipeOf(vnode);
  if (!pipe) return asError(-ENOMEM);
  const mode = flags & O_ACCMODE;
  const nonBlocking = (flags & O_NONBLOCK) != 0;
  if (mode == O_WRONLY && nonBlocking && pipe.readers == 0) {
    pipe.release();
    return asError(-ENXIO);
  }
  const readerOpens = pipe.readerOpens;
  const writerOpens = pipe.writerOpens;
  const file = new PipeFile(pipe, dentry, flags);
  let status: i32 = 0;
  if (!nonBlocking) {
    if (mode == O_RDONLY) status = pipe.awaitOpen(false, writerOpens);
    else if (mode == O_WRONLY) status = pipe.awaitOpen(true, readerOpens);
  }
  pipe.release();
  if (status == 0) return changetype<usize>(file);
  file.release();
  return asError(status);
}

/** The pipe of a node with a reference, made if need be; null without memory. */
function pipeOf(vnode: Vnode): Pipe | null {
  const made = new FifoPipe(vnode);
  if (!made.isUsable) {
    made.release();
    return null;
  }
  fifoLock.acquire();
  const known = changetype<FifoPipe | null>(vnode.attachment);
  const isAlive = known ? retainIfAlive(known) : false;
  if (!isAlive) vnode.attachment = changetype<usize>(made);
  fifoLock.release();
  if (!isAlive) return made;
  made.release();
  return known;
}

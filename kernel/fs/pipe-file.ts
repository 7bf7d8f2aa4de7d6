/**
 * An end of a pipe or fifo as an open file. Neighbours: `pipe`, `fifo`.
 */
import { copyUser } from "../arch/cpu";
import { EFAULT, EINVAL, ENOTTY } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { WaitLink } from "../sched/wait";
import {
  O_NONBLOCK,
  O_RDWR,
  O_ACCMODE,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
  S_IFIFO,
} from "./constants";
import { Dentry } from "./dentry";
import { openFifo } from "./fifo";
import { File } from "./file";
import { writePathOf } from "./path-name";
import { Pipe } from "./pipe";
import { Stat } from "./stat";

const FIONREAD: u32 = 0x541b;
const F_SETPIPE_SZ: i32 = 1031;
const F_GETPIPE_SZ: i32 = 1032;
/** st_dev of pipes. */
const PIPE_DEVICE: u64 = 0xd;

export class PipeFile extends File {
  /** Word that ioctl copies out. */
  private result: u32 = 0;

  /** Takes a reference of the pipe and of the dentry (fifos), and counts as an open end. */
  constructor(
    private pipe: Pipe,
    dentry: Dentry | null,
    flags: u32,
  ) {
    super(flags);
    pipe.retain();
    if (dentry) dentry.retain();
    this.dentry = dentry;
    pipe.open(this.isReadable, this.isWritable);
  }

  read(buffer: usize, length: usize): i64 {
    return this.pipe.read(buffer, length, (this.flags & O_NONBLOCK) != 0);
  }

  write(buffer: usize, length: usize): i64 {
    return this.pipe.write(buffer, length, (this.flags & O_NONBLOCK) != 0);
  }

  /** `read` or `write` that sleeps or not as the call says rather than the file (vmsplice(2)). */
  transfer(buffer: usize, length: usize, isWrite: bool, nonBlocking: bool): i64 {
    if (isWrite) return this.pipe.write(buffer, length, nonBlocking);
    return this.pipe.read(buffer, length, nonBlocking);
  }

  /** As `read`, but the bytes stay in the pipe (tee(2)). */
  peek(buffer: usize, length: usize, nonBlocking: bool): i64 {
    return this.pipe.read(buffer, length, nonBlocking, true);
  }

  /** True if both are ends of one pipe. */
  isSamePipe(other: PipeFile): bool {
    return this.pipe == other.pipe;
  }

  poll(link: WaitLink | null): u32 {
    const pipe = this.pipe;
    if (link) {
      // An end opened for both waits for data: room is hardly ever what a fifo's owner waits for.
      if (this.isReadable) pipe.readable.add(link);
      else pipe.writable.add(link);
    }
    let events: u32 = 0;
    if (this.isReadable) {
      if (pipe.available) events |= POLLIN | POLLRDNORM;
      if (!pipe.writers) events |= POLLHUP;
    }
    if (this.isWritable) {
      if (pipe.hasRoom) events |= POLLOUT | POLLWRNORM;
      if (!pipe.readers) events |= POLLERR;
    }
    return events;
  }

  unpoll(link: WaitLink): void {
    if (this.isReadable) this.pipe.readable.remove(link);
    else this.pipe.writable.remove(link);
  }

  canPoll(): bool {
    return true;
  }

  ioctl(request: u32, argument: usize): i64 {
    if (request != FIONREAD) return -ENOTTY;
    this.result = <u32>this.pipe.available;
    const source = changetype<usize>(this) + offsetof<PipeFile>("result");
    return copyUser(argument, source, sizeof<u32>()) ? -EFAULT : 0;
  }

  control(command: i32, argument: usize): i64 {
    if (command == F_GETPIPE_SZ) return this.pipe.capacity;
    if (command == F_SETPIPE_SZ) return this.pipe.resize(<u32>argument);
    return -EINVAL;
  }

  stat(out: Stat): i64 {
    const vnode = this.vnode;
    if (vnode) return vnode.attributes(out);
    out.device = PIPE_DEVICE;
    out.inode = this.pipe.inode;
    out.mode = S_IFIFO | 0o600;
    return 0;
  }

  reopen(flags: u32): usize {
    const dentry = this.dentry;
    if (dentry) return openFifo(dentry.node, dentry, flags);
    const mode = flags & O_ACCMODE;
    const kept = (flags & O_NONBLOCK) | (mode == O_ACCMODE ? O_RDWR : mode);
    return changetype<usize>(new PipeFile(this.pipe, null, kept));
  }

  writePath(out: ByteWriter): void {
    const dentry = this.dentry;
    if (dentry) {
      writePathOf(dentry, null, out, true);
      return;
    }
    out.writeString("pipe:[");
    out.writeDecimal(this.pipe.inode);
    out.writeByte(0x5d);
  }

  dispose(): void {
    const dentry = this.dentry;
    const pipe = this.pipe;
    pipe.close(this.isReadable, this.isWritable);
    free(this);
    pipe.release();
    if (dentry) dentry.release();
  }
}

/**
 * Open files that are no files of any file system: eventfd, timerfd, signalfd, epoll.
 *
 * Neighbours: `eventfd.ts`, `timerfd.ts`, `signalfd.ts`, `epoll-file.ts`.
 */
import { File } from "../fs/file";
import { Stat } from "../fs/stat";
import { ByteWriter } from "../lib/format";

/** Device and inode number that fstat shows for all of them; they share one inode in Linux too. */
const ANONYMOUS_DEVICE: u64 = 15;
const ANONYMOUS_INODE: u64 = 9;
const MODE: u32 = 0o600;

export abstract class AnonymousFile extends File {
  /** What stands between the brackets in /proc/self/fd. */
  abstract typeName(): string;

  canPoll(): bool {
    return true;
  }

  /** lseek(2) succeeds and does nothing. */
  seek(_offset: i64, _origin: u32): i64 {
    return 0;
  }

  stat(out: Stat): i64 {
    out.device = ANONYMOUS_DEVICE;
    out.inode = ANONYMOUS_INODE;
    out.mode = MODE;
    return 0;
  }

  writePath(out: ByteWriter): void {
    out.writeString("anon_inode:[");
    out.writeString(this.typeName());
    out.writeString("]");
  }
}

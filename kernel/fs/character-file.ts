/**
 * An open character device: joins `dev/character` to the `File` interface. It has a name if it was
 * opened under /dev, none if the kernel opened it (console ports).
 *
 * Neighbours: `special` opens nodes, `linux/init` opens the console.
 */
import { CharacterDevice } from "../dev/character";
import { EINVAL, ESPIPE, isError } from "../lib/errno";
import { ByteWriter } from "../lib/format";
import { free } from "../lib/object";
import { WaitLink } from "../sched/wait";
import { O_NONBLOCK, S_IFCHR, makeDevice } from "./constants";
import { Dentry } from "./dentry";
import { File } from "./file";
import { openDentry } from "./open";
import { writePathOf } from "./path-name";
import { Stat } from "./stat";
import { zeroPager } from "./zero-pager";

/** Major number of the memory devices, and the minor of /dev/zero. */
const MEMORY_MAJOR: u32 = 1;
const ZERO_MINOR: u32 = 5;

export class CharacterFile extends File {
  /** Takes a reference of the dentry, if there is one. */
  constructor(
    readonly device: CharacterDevice,
    dentry: Dentry | null,
    flags: u32,
  ) {
    super(flags);
    if (dentry) dentry.retain();
    this.dentry = dentry;
  }

  read(buffer: usize, length: usize): i64 {
    return this.device.read(buffer, length, (this.flags & O_NONBLOCK) != 0);
  }

  write(buffer: usize, length: usize): i64 {
    return this.device.write(buffer, length, (this.flags & O_NONBLOCK) != 0);
  }

  readAt(buffer: usize, length: usize, _offset: u64): i64 {
    const result = this.device.seekResult();
    return result < 0 ? -ESPIPE : this.read(buffer, length);
  }

  writeAt(buffer: usize, length: usize, _offset: u64): i64 {
    const result = this.device.seekResult();
    return result < 0 ? -ESPIPE : this.write(buffer, length);
  }

  seek(_offset: i64, _origin: u32): i64 {
    const result = this.device.seekResult();
    return result == -EINVAL ? -ESPIPE : result;
  }

  ioctl(request: u32, argument: usize): i64 {
    return this.device.ioctl(request, argument);
  }

  poll(link: WaitLink | null): u32 {
    return this.device.poll(link);
  }

  unpoll(link: WaitLink): void {
    this.device.unpoll(link);
  }

  canPoll(): bool {
    return true;
  }

  sync(_dataOnly: bool): i64 {
    return -EINVAL;
  }

  stat(out: Stat): i64 {
    const vnode = this.vnode;
    if (vnode) return vnode.attributes(out);
    const device = this.device;
    out.mode = S_IFCHR | device.mode;
    out.nodeDevice = makeDevice(device.major, device.minor);
    out.inode = out.nodeDevice;
    return 0;
  }

  pager(): usize {
    const isZero = this.device.major == MEMORY_MAJOR && this.device.minor == ZERO_MINOR;
    return isZero ? zeroPager() : super.pager();
  }

  reopen(flags: u32): usize {
    const dentry = this.dentry;
    return dentry ? openDentry(dentry, flags) : openCharacterDevice(this.device, null, flags);
  }

  writePath(out: ByteWriter): void {
    const dentry = this.dentry;
    if (dentry) {
      writePathOf(dentry, null, out, true);
      return;
    }
    out.writeString("/dev/");
    out.writeString(this.device.name);
  }

  dispose(): void {
    const dentry = this.dentry;
    this.device.closed();
    free(this);
    if (dentry) dentry.release();
  }
}

/**
 * Opens a device.
 * @param dentry the name it was found by; null for devices that the kernel opens (console ports)
 * @returns a File with a reference, or the error of the device
 */
export function openCharacterDevice(
  device: CharacterDevice,
  dentry: Dentry | null,
  flags: u32,
): usize {
  const used = device.opened(flags);
  if (isError(used)) return used;
  return changetype<usize>(new CharacterFile(changetype<CharacterDevice>(used), dentry, flags));
}

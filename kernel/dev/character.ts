/**
 * Character devices as devfs and the system calls see them, and their registry.
 *
 * Buffers are user or kernel addresses; implementations move bytes with `copyUser`.
 * Neighbours: `dev/memory-devices`, `dev/console/*` register devices; `fs/devfs` lists them.
 */
import { EINVAL, ENOTTY } from "../lib/errno";
import { WaitLink } from "../sched/wait";

/** poll(2) event bits, Linux values. */
export const POLLIN: u32 = 0x0001;
export const POLLPRI: u32 = 0x0002;
export const POLLOUT: u32 = 0x0004;
export const POLLERR: u32 = 0x0008;
export const POLLHUP: u32 = 0x0010;
export const POLLRDNORM: u32 = 0x0040;
export const POLLWRNORM: u32 = 0x0100;

export abstract class CharacterDevice {
  /** Name under /dev. */
  name: string = "";
  major: u32 = 0;
  minor: u32 = 0;
  /** Permission bits of the node, e.g. 0o666. */
  mode: u32 = 0o666;
  /** Next device in the registry. */
  next: CharacterDevice | null = null;

  /**
   * Somebody opens the device.
   * @param flags O_* of open(2)
   * @returns the device that the open file then uses, as a rule this one, or a negative errno
   */
  opened(flags: u32): usize {
    return changetype<usize>(this);
  }

  /** An open file that uses the device ends. */
  closed(): void {}

  /**
   * Reads up to `length` bytes into `buffer`; sleeps until at least one is there, unless
   * `nonBlocking`. @returns bytes read, 0 at end of file, -EAGAIN, -EINTR, -EFAULT, -EIO
   */
  abstract read(buffer: usize, length: usize, nonBlocking: bool): i64;

  /** Writes `length` bytes; sleeps while there is no room, unless `nonBlocking`. */
  abstract write(buffer: usize, length: usize, nonBlocking: bool): i64;

  /** ioctl(2); `argument` is a number or a user address. @returns result or negative errno */
  ioctl(request: u32, argument: usize): i64 {
    return -(<i64>ENOTTY);
  }

  /**
   * @param link if given, is added to the wait queue that is woken when the answer may have changed
   * @returns the POLL* bits that hold now
   */
  poll(link: WaitLink | null): u32 {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }

  /** Takes back a link given to `poll`. */
  unpoll(link: WaitLink): void {}

  /** True for terminals: isatty(3). */
  isTerminal(): bool {
    return false;
  }

  /** lseek(2) on the device: -ESPIPE for terminals and streams, else the new offset. */
  seekResult(): i64 {
    return -(<i64>EINVAL);
  }
}

let first: CharacterDevice | null = null;
let last: CharacterDevice | null = null;

/** Registers a device under its name and number, after those already there. */
export function registerCharacterDevice(device: CharacterDevice): void {
  device.next = null;
  const before = last;
  if (before) before.next = device;
  else first = device;
  last = device;
}

/** The first registered device (follow `next`), or null. */
export function firstCharacterDevice(): CharacterDevice | null {
  return first;
}

/** The device with this number, or null. */
export function findCharacterDevice(major: u32, minor: u32): CharacterDevice | null {
  let device = first;
  while (device) {
    if (device.major == major && device.minor == minor) return device;
    device = device.next;
  }
  return null;
}

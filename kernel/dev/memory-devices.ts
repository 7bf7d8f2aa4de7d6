/**
 * Character devices without hardware: null, zero, full, random, urandom, kmsg (mem(4), random(4)).
 *
 * Neighbours: `dev/character` registers them, `dev/random` and `lib/log` are behind the last three.
 */
import { clearUser, copyUser } from "../arch/cpu";
import { EFAULT, EINTR, EINVAL, ENOMEM, ENOSPC } from "../lib/errno";
import { log, logAt, logByte, logCapacity, logWritten } from "../lib/log";
import { heapAllocate, heapFree } from "../mm/heap";
import { preemptionPoint } from "../sched/switch";
import { CharacterDevice, registerCharacterDevice } from "./character";
import { storeIntArgument } from "./console/ioctl";
import { addEntropy, randomBytes } from "./random";

/** Device numbers (Linux Documentation/admin-guide/devices.txt). */
const MAJOR_MEMORY: u32 = 1;
const MINOR_NULL: u32 = 3;
const MINOR_ZERO: u32 = 5;
const MINOR_FULL: u32 = 7;
const MINOR_RANDOM: u32 = 8;
const MINOR_URANDOM: u32 = 9;
const MINOR_KMSG: u32 = 11;

/** Moved between looks at pending signals, and kept on the heap for random numbers. */
const CHUNK: usize = 65536;
const RANDOM_CHUNK: usize = 1024;

/** Requests of random(4). */
const RNDGETENTCNT: u32 = 0x80045200;
const ENTROPY_BITS: u32 = 256;

/** What the devices here have in common: a number, a mode, and a position that stays 0. */
abstract class MemoryDevice extends CharacterDevice {
  constructor(name: string, minor: u32, mode: u32) {
    super();
    this.name = name;
    this.major = MAJOR_MEMORY;
    this.minor = minor;
    this.mode = mode;
  }

  seekResult(): i64 {
    return 0;
  }
}

class NullDevice extends MemoryDevice {
  read(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return 0;
  }

  write(_buffer: usize, length: usize, _nonBlocking: bool): i64 {
    return length;
  }
}

class ZeroDevice extends MemoryDevice {
  read(buffer: usize, length: usize, _nonBlocking: bool): i64 {
    let done: usize = 0;
    while (done < length) {
      const part = min(length - done, CHUNK);
      const left = clearUser(buffer + done, part);
      done += part - left;
      if (left > 0) return done > 0 ? <i64>done : -EFAULT;
      if (preemptionPoint()) break;
    }
    return done;
  }

  write(_buffer: usize, length: usize, _nonBlocking: bool): i64 {
    return length;
  }
}

class FullDevice extends ZeroDevice {
  write(_buffer: usize, _length: usize, _nonBlocking: bool): i64 {
    return -ENOSPC;
  }
}

class RandomDevice extends MemoryDevice {
  read(buffer: usize, length: usize, _nonBlocking: bool): i64 {
    return randomToUser(buffer, length);
  }

  /** What is written is mixed in, but not counted as entropy. */
  write(buffer: usize, length: usize, _nonBlocking: bool): i64 {
    const block = heapAllocate(RANDOM_CHUNK);
    if (block == 0) return -ENOMEM;
    let done: usize = 0;
    let fault = false;
    while (done < length && !fault) {
      const wanted = min(length - done, RANDOM_CHUNK);
      const part = wanted - copyUser(block, buffer + done, wanted);
      addEntropy(block, part);
      done += part;
      fault = part < wanted;
      if (preemptionPoint()) break;
    }
    heapFree(block);
    return done == 0 && fault ? -EFAULT : <i64>done;
  }

  ioctl(request: u32, argument: usize): i64 {
    if (request == RNDGETENTCNT) return storeIntArgument(argument, ENTROPY_BITS);
    return -EINVAL;
  }
}

/**
 * Fills `length` bytes at a user or kernel address with random bytes (getrandom(2), /dev/urandom).
 * @returns bytes written: fewer than asked only if a signal came after the first chunk; -EFAULT,
 * -EINTR, -ENOMEM
 */
export function randomToUser(buffer: usize, length: usize): i64 {
  const block = heapAllocate(RANDOM_CHUNK);
  if (block == 0) return -ENOMEM;
  let done: usize = 0;
  let error: i64 = 0;
  while (done < length && error == 0) {
    const part = min(length - done, RANDOM_CHUNK);
    randomBytes(block, part);
    const left = copyUser(buffer + done, block, part);
    done += part - left;
    if (left > 0) error = -EFAULT;
    else if (preemptionPoint() && done < length) error = -EINTR;
  }
  memory.fill(block, 0, RANDOM_CHUNK);
  heapFree(block);
  return done > 0 || length == 0 ? <i64>done : error;
}

/**
 * The kernel log. Writing adds a line; reading gives the text that is still in the ring, once.
 * Linux's record format is not provided.
 */
class LogDevice extends MemoryDevice {
  private position: u64 = 0;

  read(buffer: usize, length: usize, _nonBlocking: bool): i64 {
    const written = logWritten();
    const oldest = written > logCapacity() ? written - logCapacity() : 0;
    if (this.position < oldest) this.position = oldest;
    const size = min(min<usize>(length, RANDOM_CHUNK), <usize>(written - this.position));
    if (size == 0) return 0;
    const block = heapAllocate(size);
    if (block == 0) return -ENOMEM;
    for (let i: usize = 0; i < size; i++) store<u8>(block + i, logAt(this.position + i));
    const left = copyUser(buffer, block, size);
    heapFree(block);
    this.position += size - left;
    return left == size ? -EFAULT : <i64>(size - left);
  }

  write(buffer: usize, length: usize, _nonBlocking: bool): i64 {
    const size = min(length, RANDOM_CHUNK);
    if (size == 0) return 0;
    const block = heapAllocate(size);
    if (block == 0) return -ENOMEM;
    const copied = size - copyUser(block, buffer, size);
    for (let i: usize = 0; i < copied; i++) logByte(load<u8>(block + i));
    if (copied > 0 && load<u8>(block + copied - 1) != 0x0a) log("");
    heapFree(block);
    return copied == 0 ? -EFAULT : <i64>copied;
  }
}

registerCharacterDevice(new NullDevice("null", MINOR_NULL, 0o666));
registerCharacterDevice(new ZeroDevice("zero", MINOR_ZERO, 0o666));
registerCharacterDevice(new FullDevice("full", MINOR_FULL, 0o666));
registerCharacterDevice(new RandomDevice("random", MINOR_RANDOM, 0o666));
registerCharacterDevice(new RandomDevice("urandom", MINOR_URANDOM, 0o666));
registerCharacterDevice(new LogDevice("kmsg", MINOR_KMSG, 0o644));

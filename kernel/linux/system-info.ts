/**
 * What the system is: uname(2), sysinfo(2), sethostname(2), getrandom(2), membarrier(2),
 * personality(2), syslog(2), wait4(2) without children.
 */
import { mfence } from "../arch/cpu";
import { randomToUser } from "../dev/memory-devices";
import { EFAULT, EINVAL, ENOMEM } from "../lib/errno";
import { heapAllocate, heapFree } from "../mm/heap";
import { hostName as toldName, hostNameLength as toldNameLength } from "../net/resolver";
import { flushKernelRange, flushRange } from "../mm/tlb";
import { freeFrameCount, totalFrameCount } from "../mm/frames";
import { monotonicNs } from "../sched/clock";
import { currentProcess } from "./process";
import { processCount } from "./process-table";
import { NS_PER_SECOND } from "./timespec";
import { checkRange, copyIn, copyOut, scratch } from "./user-memory";

/** Linux release that the system calls correspond to; C libraries refuse too old ones. */
export const RELEASE = "6.1.0";
export const VERSION = "#1 OSv.ts";

const FIELD_BYTES: usize = 65;
const UTSNAME_BYTES: usize = FIELD_BYTES * 6;
const HOST_NAME_MAX: usize = 64;
const SYSINFO_BYTES: usize = 112;
const PAGE_BYTES: u64 = 4096;
const GRND_NONBLOCK: u32 = 1;
const GRND_RANDOM: u32 = 2;
const GRND_INSECURE: u32 = 4;

const hostName = new StaticArray<u8>(65);
const domainName = new StaticArray<u8>(65);
let hostNameSet = false;

/** The machine's name, zero-terminated; "osv" unless the network or a program said another. */
export function hostNameAddress(): usize {
  if (!hostNameSet) {
    if (toldNameLength() == 0) putText(changetype<usize>(hostName), "osv");
    else memory.copy(changetype<usize>(hostName), toldName(), toldNameLength());
    hostNameSet = true;
  }
  return changetype<usize>(hostName);
}

function putText(target: usize, text: string): void {
  for (let i = 0; i < text.length; i++) store<u8>(target + <usize>i, <u8>text.charCodeAt(i));
  store<u8>(target + <usize>text.length, 0);
}

/** uname(2): sysname, nodename, release, version, machine, domainname, 65 bytes each. */
export function sysUname(out: usize): i64 {
  const buffer = heapAllocate(UTSNAME_BYTES);
  if (buffer == 0) return -ENOMEM;
  memory.fill(buffer, 0, UTSNAME_BYTES);
  putText(buffer, "Linux");
  memory.copy(buffer + FIELD_BYTES, hostNameAddress(), FIELD_BYTES);
  putText(buffer + FIELD_BYTES * 2, RELEASE);
  putText(buffer + FIELD_BYTES * 3, VERSION);
  putText(buffer + FIELD_BYTES * 4, "x86_64");
  memory.copy(buffer + FIELD_BYTES * 5, changetype<usize>(domainName), FIELD_BYTES);
  const error = copyOut(out, buffer, UTSNAME_BYTES);
  heapFree(buffer);
  return error;
}

/** sethostname(2). */
export function sysSethostname(name: usize, length: usize): i64 {
  hostNameAddress();
  return setName(changetype<usize>(hostName), name, length);
}

/** setdomainname(2). */
export function sysSetdomainname(name: usize, length: usize): i64 {
  return setName(changetype<usize>(domainName), name, length);
}

function setName(target: usize, name: usize, length: usize): i64 {
  if (<i64>length < 0 || length > HOST_NAME_MAX) return -EINVAL;
  if (copyIn(scratch(), name, length) != 0) return -EFAULT;
  memory.fill(target, 0, FIELD_BYTES);
  memory.copy(target, scratch(), length);
  return 0;
}

/** sysinfo(2). */
export function sysSysinfo(out: usize): i64 {
  const buffer = scratch();
  memory.fill(buffer, 0, SYSINFO_BYTES);
  store<u64>(buffer, monotonicNs() / NS_PER_SECOND);
  store<u64>(buffer + 32, totalFrameCount() * PAGE_BYTES);
  store<u64>(buffer + 40, freeFrameCount() * PAGE_BYTES);
  store<u16>(buffer + 80, <u16>processCount());
  store<u32>(buffer + 104, 1); // unit of the memory fields: bytes
  return copyOut(out, buffer, SYSINFO_BYTES);
}

/** getrandom(2): the generator is seeded before the first program runs, so it never blocks. */
export function sysGetrandom(target: usize, length: usize, flags: u32): i64 {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) != 0) return -EINVAL;
  if ((flags & GRND_RANDOM) != 0 && (flags & GRND_INSECURE) != 0) return -EINVAL;
  const bytes = min(length, 0x7fff_ffff);
  if (!checkRange(target, bytes)) return -EFAULT;
  return randomToUser(target, bytes);
}

const MEMBARRIER_QUERY: i32 = 0;
const MEMBARRIER_GLOBAL: i32 = 1;
const MEMBARRIER_PRIVATE: i32 = 8;
/** Commands 4, 16 and 64 only announce that a private or global command will be used. */
const MEMBARRIER_REGISTRATIONS: i32 = 0x54;
const MEMBARRIER_PRIVATE_SYNC_CORE: i32 = 32;
/** Commands 1 to 64: global and private barriers and their registrations, without rseq. */
const MEMBARRIER_SUPPORTED: i32 = 0x7f;

/**
 * membarrier(2): an interrupt that another processor has served is a barrier there. The expedited
 * commands reach the processors that run this process, the others all.
 */
export function sysMembarrier(command: i32, flags: u32, _cpu: i32): i64 {
  if (flags != 0) return -EINVAL;
  if (command == MEMBARRIER_QUERY) return MEMBARRIER_SUPPORTED;
  const isKnown = (command & (command - 1)) == 0 && (command & MEMBARRIER_SUPPORTED) != 0;
  if (!isKnown || command < MEMBARRIER_GLOBAL) return -EINVAL;
  mfence();
  const isPrivate = command == MEMBARRIER_PRIVATE || command == MEMBARRIER_PRIVATE_SYNC_CORE;
  const isRegistration = (command & MEMBARRIER_REGISTRATIONS) != 0;
  if (isPrivate) flushRange(currentProcess().addressSpaceRoot, 0, 0);
  else if (!isRegistration) flushKernelRange(0, 0);
  return 0;
}

const PERSONALITY_QUERY: u32 = 0xffff_ffff;

/** personality(2): kept, without effect. */
export function sysPersonality(persona: u32): i64 {
  const process = currentProcess();
  const previous = process.personality;
  if (persona != PERSONALITY_QUERY) process.personality = persona;
  return previous;
}

/**
 * Resource limits of a process (getrlimit(2)): kept, reported, and enforced where the kernel asks
 * (open files, stack size, address space, CPU time).
 */
export const RLIMIT_CPU: u32 = 0;
export const RLIMIT_FSIZE: u32 = 1;
export const RLIMIT_DATA: u32 = 2;
export const RLIMIT_STACK: u32 = 3;
export const RLIMIT_CORE: u32 = 4;
export const RLIMIT_RSS: u32 = 5;
export const RLIMIT_NPROC: u32 = 6;
export const RLIMIT_NOFILE: u32 = 7;
export const RLIMIT_MEMLOCK: u32 = 8;
export const RLIMIT_AS: u32 = 9;
export const RLIMIT_LOCKS: u32 = 10;
export const RLIMIT_SIGPENDING: u32 = 11;
export const RLIMIT_MSGQUEUE: u32 = 12;
export const RLIMIT_NICE: u32 = 13;
export const RLIMIT_RTPRIO: u32 = 14;
export const RLIMIT_RTTIME: u32 = 15;
export const RLIMIT_COUNT: u32 = 16;

export const RLIM_INFINITY: u64 = 0xffff_ffff_ffff_ffff;

/** Soft and hard limits, unsigned 64-bit each, in the unit of the limit (bytes, files, seconds). */
export class ResourceLimits {
  private soft: StaticArray<u64> = new StaticArray<u64>(16);
  private hard: StaticArray<u64> = new StaticArray<u64>(16);

  /** Those of the first process. */
  static initial(): ResourceLimits {
    const limits = new ResourceLimits();
    limits.copyFrom(INITIAL);
    return limits;
  }

  /** The limit in force. `resource` is below RLIMIT_COUNT. */
  softLimit(resource: u32): u64 {
    return this.soft[resource];
  }

  /** The ceiling of the limit in force. */
  hardLimit(resource: u32): u64 {
    return this.hard[resource];
  }

  set(resource: u32, soft: u64, hard: u64): void {
    this.soft[resource] = soft;
    this.hard[resource] = hard;
  }

  /** Takes over all limits of `other`. */
  copyFrom(other: ResourceLimits): void {
    const bytes: usize = RLIMIT_COUNT * 8;
    memory.copy(changetype<usize>(this.soft), changetype<usize>(other.soft), bytes);
    memory.copy(changetype<usize>(this.hard), changetype<usize>(other.hard), bytes);
  }

  /** Frees what the object owns. */
  destroy(): void {
    __free(changetype<usize>(this.soft));
    __free(changetype<usize>(this.hard));
  }
}

/** Linux's defaults. */
const INITIAL = initialLimits();

function initialLimits(): ResourceLimits {
  const limits = new ResourceLimits();
  for (let i: u32 = 0; i < RLIMIT_COUNT; i++) limits.set(i, RLIM_INFINITY, RLIM_INFINITY);
  limits.set(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
  limits.set(RLIMIT_CORE, 0, RLIM_INFINITY);
  limits.set(RLIMIT_NOFILE, 1024, 1048576);
  limits.set(RLIMIT_MEMLOCK, 8 << 20, 8 << 20);
  limits.set(RLIMIT_MSGQUEUE, 819200, 819200);
  limits.set(RLIMIT_NICE, 0, 0);
  limits.set(RLIMIT_RTPRIO, 0, 0);
  return limits;
}

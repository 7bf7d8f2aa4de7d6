/**
 * Names of flags and numbers that the trace shows instead of values, as data; values are those of
 * x86-64 Linux (the man page of each call). `generate-trace.ts` puts them into the kernel.
 */

/** Names for the values of an argument. */
export interface NameSet {
  readonly name: string;
  /** Values are combinations of bits; otherwise one number each. */
  readonly isFlags: boolean;
  readonly names: Readonly<Record<string, number>>;
}

/** Numbers the names of a list upwards from `first`; `-` leaves one out. */
function numbered(first: number, text: string): Record<string, number> {
  const names = text.split(" ").map((name, index): [string, number] => [name, first + index]);
  return Object.fromEntries(names.filter(([name]) => name !== "-"));
}

/** All sets. In a set of flags a name with several bits stands before those with fewer. */
export const nameSets: readonly NameSet[] = [
  // biome-ignore format: one line a set
  { name: "open", isFlags: true, names: { O_TMPFILE: 0o20200000, O_SYNC: 0o4010000, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_NOCTTY: 0o400, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_NONBLOCK: 0o4000, O_DSYNC: 0o10000, O_DIRECT: 0o40000, O_LARGEFILE: 0o100000, O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000, O_NOATIME: 0o1000000, O_CLOEXEC: 0o2000000, O_PATH: 0o10000000 } },
  { name: "protection", isFlags: true, names: { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 } },
  // biome-ignore format: one line a set
  { name: "map", isFlags: true, names: { MAP_SHARED_VALIDATE: 3, MAP_SHARED: 1, MAP_PRIVATE: 2, MAP_FIXED: 0x10, MAP_ANONYMOUS: 0x20, MAP_32BIT: 0x40, MAP_GROWSDOWN: 0x100, MAP_DENYWRITE: 0x800, MAP_EXECUTABLE: 0x1000, MAP_LOCKED: 0x2000, MAP_NORESERVE: 0x4000, MAP_POPULATE: 0x8000, MAP_NONBLOCK: 0x10000, MAP_STACK: 0x20000, MAP_HUGETLB: 0x40000, MAP_FIXED_NOREPLACE: 0x100000 } },
  // biome-ignore format: one line a set
  { name: "clone", isFlags: true, names: { CLONE_VM: 0x100, CLONE_FS: 0x200, CLONE_FILES: 0x400, CLONE_SIGHAND: 0x800, CLONE_PIDFD: 0x1000, CLONE_PTRACE: 0x2000, CLONE_VFORK: 0x4000, CLONE_PARENT: 0x8000, CLONE_THREAD: 0x10000, CLONE_NEWNS: 0x20000, CLONE_SYSVSEM: 0x40000, CLONE_SETTLS: 0x80000, CLONE_PARENT_SETTID: 0x100000, CLONE_CHILD_CLEARTID: 0x200000, CLONE_DETACHED: 0x400000, CLONE_UNTRACED: 0x800000, CLONE_CHILD_SETTID: 0x1000000, SIGCHLD: 17 } },
  // biome-ignore format: one line a set
  { name: "at", isFlags: true, names: { AT_SYMLINK_NOFOLLOW: 0x100, AT_REMOVEDIR: 0x200, AT_SYMLINK_FOLLOW: 0x400, AT_NO_AUTOMOUNT: 0x800, AT_EMPTY_PATH: 0x1000, AT_STATX_FORCE_SYNC: 0x2000, AT_STATX_DONT_SYNC: 0x4000 } },
  { name: "access", isFlags: true, names: { R_OK: 4, W_OK: 2, X_OK: 1 } },
  {
    name: "whence",
    isFlags: false,
    names: numbered(0, "SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE"),
  },
  // biome-ignore format: one line a set
  { name: "signal", isFlags: false, names: numbered(1, "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS") },
  { name: "mask", isFlags: false, names: numbered(0, "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK") },
  // biome-ignore format: one line a set
  { name: "fcntl", isFlags: false, names: { ...numbered(0, "F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_SETSIG F_GETSIG"), F_OFD_GETLK: 36, F_OFD_SETLK: 37, F_OFD_SETLKW: 38, F_DUPFD_CLOEXEC: 1030, F_SETPIPE_SZ: 1031, F_GETPIPE_SZ: 1032, F_ADD_SEALS: 1033, F_GET_SEALS: 1034 } },
  // biome-ignore format: one line a set
  { name: "futex", isFlags: false, names: { ...numbered(0, "FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2"), ...numbered(128, "FUTEX_WAIT_PRIVATE FUTEX_WAKE_PRIVATE - FUTEX_REQUEUE_PRIVATE FUTEX_CMP_REQUEUE_PRIVATE FUTEX_WAKE_OP_PRIVATE FUTEX_LOCK_PI_PRIVATE FUTEX_UNLOCK_PI_PRIVATE FUTEX_TRYLOCK_PI_PRIVATE FUTEX_WAIT_BITSET_PRIVATE FUTEX_WAKE_BITSET_PRIVATE FUTEX_WAIT_REQUEUE_PI_PRIVATE FUTEX_CMP_REQUEUE_PI_PRIVATE FUTEX_LOCK_PI2_PRIVATE"), "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME": 393 } },
  {
    name: "family",
    isFlags: false,
    names: {
      AF_UNSPEC: 0,
      AF_UNIX: 1,
      AF_INET: 2,
      AF_INET6: 10,
      AF_NETLINK: 16,
      AF_PACKET: 17,
      AF_VSOCK: 40,
    },
  },
  // biome-ignore format: one line a set
  { name: "socket", isFlags: true, names: { SOCK_SEQPACKET: 5, SOCK_RAW: 3, SOCK_STREAM: 1, SOCK_DGRAM: 2, SOCK_NONBLOCK: 0o4000, SOCK_CLOEXEC: 0o2000000 } },
  {
    name: "epoll",
    isFlags: false,
    names: numbered(1, "EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD"),
  },
  {
    name: "clock",
    isFlags: false,
    names: numbered(
      0,
      "CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME",
    ),
  },
  // biome-ignore format: one line a set
  { name: "advice", isFlags: false, names: { ...numbered(0, "MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED"), ...numbered(8, "MADV_FREE MADV_REMOVE MADV_DONTFORK MADV_DOFORK - - MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP MADV_DODUMP") } },
  {
    name: "wait",
    isFlags: true,
    names: { WNOHANG: 1, WUNTRACED: 2, WEXITED: 4, WCONTINUED: 8, WNOWAIT: 0x1000000 },
  },
  // biome-ignore format: one line a set
  { name: "limit", isFlags: false, names: numbered(0, "RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC RLIMIT_NOFILE RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME") },
  // biome-ignore format: one line a set
  { name: "ioctl", isFlags: false, names: { TCGETS: 0x5401, TCSETS: 0x5402, TCSETSW: 0x5403, TCSETSF: 0x5404, TIOCSCTTY: 0x540e, TIOCGPGRP: 0x540f, TIOCSPGRP: 0x5410, TIOCGWINSZ: 0x5413, TIOCSWINSZ: 0x5414, FIONREAD: 0x541b, FIONBIO: 0x5421, FIONCLEX: 0x5450, FIOCLEX: 0x5451 } },
  {
    name: "arch",
    isFlags: false,
    names: { ARCH_SET_GS: 0x1001, ARCH_SET_FS: 0x1002, ARCH_GET_FS: 0x1003, ARCH_GET_GS: 0x1004 },
  },
  { name: "random", isFlags: true, names: { GRND_NONBLOCK: 1, GRND_RANDOM: 2, GRND_INSECURE: 4 } },
];

/** Sets by `call.argument`, the call as a pattern. */
const places: readonly (readonly [call: RegExp, argument: string, set: string])[] = [
  [/^(open|openat|pipe2|dup3)$/, "flags", "open"],
  [/^mmap$/, "flags", "map"],
  [/^(mmap|mprotect|pkey_mprotect)$/, "protection", "protection"],
  [/^clone$/, "flags", "clone"],
  [
    /^(newfstatat|unlinkat|linkat|fchownat|faccessat2|fchmodat2|statx|utimensat|execveat)$/,
    "flags",
    "at",
  ],
  [/^(access|faccessat2?)$/, "mode", "access"],
  [/^lseek$/, "whence", "whence"],
  [/^(rt_sigaction|kill|tkill|tgkill|rt_sigqueueinfo|rt_tgsigqueueinfo)$/, "signal", "signal"],
  [/^rt_sigprocmask$/, "how", "mask"],
  [/^fcntl$/, "command", "fcntl"],
  [/^futex$/, "operation", "futex"],
  [/^socket(pair)?$/, "family", "family"],
  [/^socket(pair)?$/, "type", "socket"],
  [/^epoll_ctl$/, "operation", "epoll"],
  [/^clock_/, "clock", "clock"],
  [/^madvise$/, "advice", "advice"],
  [/^(wait4|waitid)$/, "options", "wait"],
  [/^(prlimit64|getrlimit|setrlimit)$/, "resource", "limit"],
  [/^ioctl$/, "request", "ioctl"],
  [/^arch_prctl$/, "option", "arch"],
  [/^getrandom$/, "flags", "random"],
];

/** The set that names the values of an argument, if one does. */
export function setOfArgument(call: string, argument: string): string | undefined {
  return places.find(([pattern, name]) => name === argument && pattern.test(call))?.[2];
}

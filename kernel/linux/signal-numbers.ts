/**
 * Signal numbers, flags and siginfo codes of Linux on x86-64 (signal(7), sigaction(2)).
 */

export const SIGHUP: i32 = 1;
export const SIGINT: i32 = 2;
export const SIGQUIT: i32 = 3;
export const SIGILL: i32 = 4;
export const SIGTRAP: i32 = 5;
export const SIGABRT: i32 = 6;
export const SIGBUS: i32 = 7;
export const SIGFPE: i32 = 8;
export const SIGKILL: i32 = 9;
export const SIGUSR1: i32 = 10;
export const SIGSEGV: i32 = 11;
export const SIGUSR2: i32 = 12;
export const SIGPIPE: i32 = 13;
export const SIGALRM: i32 = 14;
export const SIGTERM: i32 = 15;
export const SIGSTKFLT: i32 = 16;
export const SIGCHLD: i32 = 17;
export const SIGCONT: i32 = 18;
export const SIGSTOP: i32 = 19;
export const SIGTSTP: i32 = 20;
export const SIGTTIN: i32 = 21;
export const SIGTTOU: i32 = 22;
export const SIGURG: i32 = 23;
export const SIGXCPU: i32 = 24;
export const SIGXFSZ: i32 = 25;
export const SIGVTALRM: i32 = 26;
export const SIGPROF: i32 = 27;
export const SIGWINCH: i32 = 28;
export const SIGIO: i32 = 29;
export const SIGPWR: i32 = 30;
export const SIGSYS: i32 = 31;

/** First real-time signal: from here signals queue instead of merging. */
export const SIGRTMIN: i32 = 32;
/** Largest signal number. */
export const SIGNAL_MAX: i32 = 64;

export const SIG_DFL: usize = 0;
export const SIG_IGN: usize = 1;

export const SA_NOCLDSTOP: u64 = 0x1;
export const SA_NOCLDWAIT: u64 = 0x2;
export const SA_SIGINFO: u64 = 0x4;
export const SA_RESTORER: u64 = 0x0400_0000;
export const SA_ONSTACK: u64 = 0x0800_0000;
export const SA_RESTART: u64 = 0x1000_0000;
export const SA_NODEFER: u64 = 0x4000_0000;
export const SA_RESETHAND: u64 = 0x8000_0000;

export const SIG_BLOCK: i32 = 0;
export const SIG_UNBLOCK: i32 = 1;
export const SIG_SETMASK: i32 = 2;

export const SS_ONSTACK: u32 = 1;
export const SS_DISABLE: u32 = 2;
export const SS_AUTODISARM: u32 = 0x8000_0000;
export const MINSIGSTKSZ: usize = 2048;

/** si_code: who sent the signal. */
export const SI_USER: i32 = 0;
export const SI_KERNEL: i32 = 0x80;
export const SI_QUEUE: i32 = -1;
export const SI_TIMER: i32 = -2;
export const SI_TKILL: i32 = -6;

/** si_code of SIGCHLD. */
export const CLD_EXITED: i32 = 1;
export const CLD_KILLED: i32 = 2;
export const CLD_STOPPED: i32 = 5;
export const CLD_CONTINUED: i32 = 6;

/** si_code of SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP. */
export const ILL_ILLOPN: i32 = 2;
export const FPE_INTDIV: i32 = 1;
export const FPE_INTOVF: i32 = 2;
export const FPE_FLTDIV: i32 = 3;
export const FPE_FLTOVF: i32 = 4;
export const FPE_FLTUND: i32 = 5;
export const FPE_FLTRES: i32 = 6;
export const FPE_FLTINV: i32 = 7;
export const SEGV_MAPERR: i32 = 1;
export const SEGV_ACCERR: i32 = 2;
export const BUS_ADRALN: i32 = 1;
export const BUS_ADRERR: i32 = 2;
export const TRAP_BRKPT: i32 = 1;
export const TRAP_TRACE: i32 = 2;

/** The bit of signal `number` in a signal mask. */
export function signalBit(number: i32): u64 {
  return (<u64>1) << (<u64>(number - 1));
}

/** Signals that can be neither caught, blocked nor ignored. */
export const UNBLOCKABLE: u64 = ((<u64>1) << 8) | ((<u64>1) << 18);

/** Signals whose default is to do nothing: CHLD, CONT, URG, WINCH. */
export const IGNORED_BY_DEFAULT: u64 =
  ((<u64>1) << 16) | ((<u64>1) << 17) | ((<u64>1) << 22) | ((<u64>1) << 27);

/** Signals whose default is to stop the process: STOP, TSTP, TTIN, TTOU. */
export const STOPPING_BY_DEFAULT: u64 =
  ((<u64>1) << 18) | ((<u64>1) << 19) | ((<u64>1) << 20) | ((<u64>1) << 21);

/** Signals raised by an instruction; taken before others: ILL, TRAP, BUS, FPE, SEGV, SYS. */
export const SYNCHRONOUS: u64 =
  ((<u64>1) << 3) |
  ((<u64>1) << 4) |
  ((<u64>1) << 6) |
  ((<u64>1) << 7) |
  ((<u64>1) << 10) |
  ((<u64>1) << 30);

/**
 * Generated from syscall-table.ts by generate-dispatch.ts; do not edit.
 */
import { ENOSYS } from "../lib/errno";
import { TrapFrame } from "../arch/x86_64/trapframe";
import { sysIoCancel, sysIoDestroy, sysIoGetevents, sysIoPgetevents, sysIoSetup, sysIoSubmit } from "./aio";
import { sysCapget, sysCapset } from "./capabilities";
import { sysAdjtimex, sysClockAdjtime } from "./clock-adjust";
import { sysClockGetres, sysClockGettime, sysClockSettime, sysGettimeofday, sysSettimeofday, sysTime, sysTimes } from "./clocks";
import { sysClone, sysClone3, sysFork, sysVfork } from "./clone";
import { sysChdir, sysChroot, sysFchdir, sysGetcwd, sysGetdents, sysGetdents64 } from "./directory";
import { sysLink, sysLinkat, sysMkdir, sysMkdirat, sysMknod, sysMknodat, sysReadlink, sysReadlinkat, sysRename, sysRenameat, sysRenameat2, sysRmdir, sysSymlink, sysSymlinkat, sysUnlink, sysUnlinkat } from "./directory-entries";
import { sysEpollCreate, sysEpollCreate1, sysEpollCtl, sysEpollPwait, sysEpollPwait2, sysEpollWait } from "./epoll";
import { sysEventfd, sysEventfd2 } from "./eventfd";
import { sysExecve, sysExecveat } from "./exec-call";
import { sysExit, sysExitGroup } from "./exit";
import { sysDup, sysDup2, sysDup3, sysFcntl } from "./fd-control";
import { sysChmod, sysChown, sysFchmod, sysFchmodat, sysFchmodat2, sysFchown, sysFchownat, sysFutimesat, sysLchown, sysUtime, sysUtimensat, sysUtimes } from "./file-attributes";
import { sysCachestat, sysNameToHandleAt, sysOpenByHandleAt, sysUstat } from "./file-handle";
import { sysLseek, sysPread64, sysPwrite64, sysRead, sysWrite } from "./file-io";
import { sysPreadv, sysPreadv2, sysPwritev, sysPwritev2, sysReadv, sysWritev } from "./file-io-vector";
import { sysFlock } from "./file-lock";
import { sysClose, sysCloseRange, sysCreat, sysOpen, sysOpenat, sysOpenat2 } from "./file-open";
import { sysFadvise64, sysFallocate, sysFtruncate, sysReadahead, sysTruncate } from "./file-size";
import { sysAccess, sysFaccessat, sysFaccessat2, sysFstat, sysFstatfs, sysLstat, sysNewfstatat, sysStat, sysStatfs, sysStatx } from "./file-stat";
import { sysCopyFileRange, sysSendfile, sysSplice } from "./file-transfer";
import { sysFutex } from "./futex";
import { sysGetRobustList, sysSetRobustList, sysSetTidAddress } from "./futex-exit";
import { sysFutexWaitv } from "./futex-waitv";
import { sysFutexRequeue, sysFutexWait, sysFutexWake } from "./futex2";
import { sysGetegid, sysGeteuid, sysGetgid, sysGetgroups, sysGetpgid, sysGetpgrp, sysGetpid, sysGetppid, sysGetresgid, sysGetresuid, sysGetsid, sysGettid, sysGetuid, sysSetfsgid, sysSetfsuid, sysSetgid, sysSetgroups, sysSetpgid, sysSetregid, sysSetresgid, sysSetresuid, sysSetreuid, sysSetsid, sysSetuid, sysUmask } from "./identity";
import { sysInotifyAddWatch, sysInotifyInit, sysInotifyInit1, sysInotifyRmWatch } from "./inotify";
import { sysIoprioGet, sysIoprioSet } from "./io-priority";
import { sysIoctl } from "./ioctl";
import { sysMsgctl, sysMsgget, sysMsgrcv, sysMsgsnd } from "./ipc-messages";
import { sysSemctl, sysSemget, sysSemop, sysSemtimedop } from "./ipc-semaphores";
import { sysShmat, sysShmctl, sysShmdt, sysShmget } from "./ipc-shared-memory";
import { sysAlarm, sysGetitimer, sysSetitimer } from "./itimer-calls";
import { sysKcmp, sysPidfdGetfd } from "./kcmp";
import { sysSyslog } from "./kernel-log";
import { sysGetrlimit, sysGetrusage, sysPrlimit64, sysSetrlimit } from "./limit-calls";
import { sysMemfdCreate } from "./memfd";
import { sysBrk, sysMadvise, sysMincore, sysMlock, sysMlock2, sysMlockall, sysMmap, sysMprotect, sysMremap, sysMsync, sysMunlock, sysMunlockall, sysMunmap, sysRemapFilePages } from "./memory-calls";
import { sysGetMempolicy, sysMbind, sysMigratePages, sysMovePages, sysSetMempolicy, sysSetMempolicyHomeNode } from "./memory-policy";
import { sysPidfdOpen, sysPidfdSendSignal } from "./pidfd";
import { sysTee, sysVmsplice } from "./pipe-transfer";
import { sysPipe, sysPipe2 } from "./pipes";
import { sysPoll, sysPpoll } from "./poll";
import { sysMqGetsetattr, sysMqNotify, sysMqOpen, sysMqTimedreceive, sysMqTimedsend, sysMqUnlink } from "./posix-queue-calls";
import { sysTimerCreate, sysTimerDelete, sysTimerGetoverrun, sysTimerGettime, sysTimerSettime } from "./posix-timer-calls";
import { sysArchPrctl, sysPrctl } from "./prctl";
import { sysProcessMadvise, sysProcessVmReadv, sysProcessVmWritev } from "./process-memory";
import { sysPkeyAlloc, sysPkeyFree, sysPkeyMprotect } from "./protection-keys";
import { sysReboot } from "./reboot";
import { sysRseq } from "./rseq";
import { sysGetcpu, sysGetpriority, sysSchedGetPriorityMax, sysSchedGetPriorityMin, sysSchedGetaffinity, sysSchedGetattr, sysSchedGetparam, sysSchedGetscheduler, sysSchedRrGetInterval, sysSchedSetaffinity, sysSchedSetattr, sysSchedSetparam, sysSchedSetscheduler, sysSchedYield, sysSetpriority } from "./scheduling";
import { sysSeccomp } from "./seccomp";
import { sysPselect6, sysSelect } from "./select";
import { sysPause, sysRtSigaction, sysRtSigpending, sysRtSigprocmask, sysRtSigreturn, sysRtSigsuspend, sysRtSigtimedwait, sysSigaltstack } from "./signal-calls";
import { sysKill, sysRtSigqueueinfo, sysRtTgsigqueueinfo, sysTgkill, sysTkill } from "./signal-kill";
import { sysSignalfd, sysSignalfd4 } from "./signalfd";
import { sysClockNanosleep, sysNanosleep, sysRestartSyscall } from "./sleep-calls";
import { sysAccept, sysAccept4, sysBind, sysConnect, sysGetpeername, sysGetsockname, sysListen, sysRecvfrom, sysSendto, sysShutdown, sysSocket, sysSocketpair } from "./socket-calls";
import { sysRecvmmsg, sysRecvmsg, sysSendmmsg, sysSendmsg } from "./socket-messages";
import { sysGetsockopt, sysSetsockopt } from "./socket-options";
import { sysFdatasync, sysFsync, sysSync, sysSyncFileRange, sysSyncfs } from "./sync";
import { sysAcct, sysQuotactl, sysQuotactlFd, sysSetns, sysSwapoff, sysSwapon, sysUnshare } from "./system-admin";
import { sysGetrandom, sysMembarrier, sysPersonality, sysSetdomainname, sysSethostname, sysSysinfo, sysUname } from "./system-info";
import { sysTimerfdCreate, sysTimerfdGettime, sysTimerfdSettime } from "./timerfd";
import { sysWait4, sysWaitid } from "./wait";
import { sysFgetxattr, sysFlistxattr, sysFremovexattr, sysFsetxattr, sysGetxattr, sysLgetxattr, sysListxattr, sysLlistxattr, sysLremovexattr, sysLsetxattr, sysRemovexattr, sysSetxattr } from "./xattr";

/** Highest call number of the table. */
export const LAST_SYSCALL: u32 = 462;

/** Calls the handler of system call `nr` with the arguments in `frame`; -ENOSYS if none. */
export function dispatch(nr: u32, frame: TrapFrame): i64 {
  switch (nr) {
    case 0:
      return sysRead(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 1:
      return sysWrite(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 2:
      return sysOpen(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 3:
      return sysClose(<i32>frame.rdi);
    case 4:
      return sysStat(<usize>frame.rdi, <usize>frame.rsi);
    case 5:
      return sysFstat(<i32>frame.rdi, <usize>frame.rsi);
    case 6:
      return sysLstat(<usize>frame.rdi, <usize>frame.rsi);
    case 7:
      return sysPoll(<usize>frame.rdi, <u32>frame.rsi, <i32>frame.rdx);
    case 8:
      return sysLseek(<i32>frame.rdi, <i64>frame.rsi, <u32>frame.rdx);
    case 9:
      return sysMmap(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10, <i32>frame.r8, frame.r9);
    case 10:
      return sysMprotect(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 11:
      return sysMunmap(<usize>frame.rdi, <usize>frame.rsi);
    case 12:
      return sysBrk(<usize>frame.rdi);
    case 13:
      return sysRtSigaction(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 14:
      return sysRtSigprocmask(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 15:
      return sysRtSigreturn();
    case 16:
      return sysIoctl(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx);
    case 17:
      return sysPread64(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <i64>frame.r10);
    case 18:
      return sysPwrite64(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <i64>frame.r10);
    case 19:
      return sysReadv(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 20:
      return sysWritev(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 21:
      return sysAccess(<usize>frame.rdi, <i32>frame.rsi);
    case 22:
      return sysPipe(<usize>frame.rdi);
    case 23:
      return sysSelect(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 24:
      return sysSchedYield();
    case 25:
      return sysMremap(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10, <usize>frame.r8);
    case 26:
      return sysMsync(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 27:
      return sysMincore(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 28:
      return sysMadvise(<usize>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 29:
      return sysShmget(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 30:
      return sysShmat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 31:
      return sysShmctl(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 32:
      return sysDup(<i32>frame.rdi);
    case 33:
      return sysDup2(<i32>frame.rdi, <i32>frame.rsi);
    case 34:
      return sysPause();
    case 35:
      return sysNanosleep(<usize>frame.rdi, <usize>frame.rsi);
    case 36:
      return sysGetitimer(<i32>frame.rdi, <usize>frame.rsi);
    case 37:
      return sysAlarm(<u32>frame.rdi);
    case 38:
      return sysSetitimer(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 39:
      return sysGetpid();
    case 40:
      return sysSendfile(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 41:
      return sysSocket(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx);
    case 42:
      return sysConnect(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 43:
      return sysAccept(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 44:
      return sysSendto(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10, <usize>frame.r8, <u32>frame.r9);
    case 45:
      return sysRecvfrom(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10, <usize>frame.r8, <usize>frame.r9);
    case 46:
      return sysSendmsg(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 47:
      return sysRecvmsg(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 48:
      return sysShutdown(<i32>frame.rdi, <i32>frame.rsi);
    case 49:
      return sysBind(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 50:
      return sysListen(<i32>frame.rdi, <i32>frame.rsi);
    case 51:
      return sysGetsockname(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 52:
      return sysGetpeername(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 53:
      return sysSocketpair(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 54:
      return sysSetsockopt(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 55:
      return sysGetsockopt(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 56:
      return sysClone(frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 57:
      return sysFork();
    case 58:
      return sysVfork();
    case 59:
      return sysExecve(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 60:
      return sysExit(<i32>frame.rdi);
    case 61:
      return sysWait4(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <usize>frame.r10);
    case 62:
      return sysKill(<i32>frame.rdi, <i32>frame.rsi);
    case 63:
      return sysUname(<usize>frame.rdi);
    case 64:
      return sysSemget(<i32>frame.rdi, <i32>frame.rsi, <u32>frame.rdx);
    case 65:
      return sysSemop(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 66:
      return sysSemctl(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 67:
      return sysShmdt(<usize>frame.rdi);
    case 68:
      return sysMsgget(<i32>frame.rdi, <u32>frame.rsi);
    case 69:
      return sysMsgsnd(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 70:
      return sysMsgrcv(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <i64>frame.r10, <u32>frame.r8);
    case 71:
      return sysMsgctl(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 72:
      return sysFcntl(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 73:
      return sysFlock(<i32>frame.rdi, <i32>frame.rsi);
    case 74:
      return sysFsync(<i32>frame.rdi);
    case 75:
      return sysFdatasync(<i32>frame.rdi);
    case 76:
      return sysTruncate(<usize>frame.rdi, <i64>frame.rsi);
    case 77:
      return sysFtruncate(<i32>frame.rdi, <i64>frame.rsi);
    case 78:
      return sysGetdents(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 79:
      return sysGetcwd(<usize>frame.rdi, <usize>frame.rsi);
    case 80:
      return sysChdir(<usize>frame.rdi);
    case 81:
      return sysFchdir(<i32>frame.rdi);
    case 82:
      return sysRename(<usize>frame.rdi, <usize>frame.rsi);
    case 83:
      return sysMkdir(<usize>frame.rdi, <u32>frame.rsi);
    case 84:
      return sysRmdir(<usize>frame.rdi);
    case 85:
      return sysCreat(<usize>frame.rdi, <u32>frame.rsi);
    case 86:
      return sysLink(<usize>frame.rdi, <usize>frame.rsi);
    case 87:
      return sysUnlink(<usize>frame.rdi);
    case 88:
      return sysSymlink(<usize>frame.rdi, <usize>frame.rsi);
    case 89:
      return sysReadlink(<usize>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 90:
      return sysChmod(<usize>frame.rdi, <u32>frame.rsi);
    case 91:
      return sysFchmod(<i32>frame.rdi, <u32>frame.rsi);
    case 92:
      return sysChown(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 93:
      return sysFchown(<i32>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 94:
      return sysLchown(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 95:
      return sysUmask(<u32>frame.rdi);
    case 96:
      return sysGettimeofday(<usize>frame.rdi, <usize>frame.rsi);
    case 97:
      return sysGetrlimit(<u32>frame.rdi, <usize>frame.rsi);
    case 98:
      return sysGetrusage(<i32>frame.rdi, <usize>frame.rsi);
    case 99:
      return sysSysinfo(<usize>frame.rdi);
    case 100:
      return sysTimes(<usize>frame.rdi);
    case 102:
      return sysGetuid();
    case 103:
      return sysSyslog(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 104:
      return sysGetgid();
    case 105:
      return sysSetuid(<u32>frame.rdi);
    case 106:
      return sysSetgid(<u32>frame.rdi);
    case 107:
      return sysGeteuid();
    case 108:
      return sysGetegid();
    case 109:
      return sysSetpgid(<i32>frame.rdi, <i32>frame.rsi);
    case 110:
      return sysGetppid();
    case 111:
      return sysGetpgrp();
    case 112:
      return sysSetsid();
    case 113:
      return sysSetreuid(<u32>frame.rdi, <u32>frame.rsi);
    case 114:
      return sysSetregid(<u32>frame.rdi, <u32>frame.rsi);
    case 115:
      return sysGetgroups(<i32>frame.rdi, <usize>frame.rsi);
    case 116:
      return sysSetgroups(<i32>frame.rdi, <usize>frame.rsi);
    case 117:
      return sysSetresuid(<u32>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 118:
      return sysGetresuid(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 119:
      return sysSetresgid(<u32>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 120:
      return sysGetresgid(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 121:
      return sysGetpgid(<i32>frame.rdi);
    case 122:
      return sysSetfsuid(<u32>frame.rdi);
    case 123:
      return sysSetfsgid(<u32>frame.rdi);
    case 124:
      return sysGetsid(<i32>frame.rdi);
    case 125:
      return sysCapget(<usize>frame.rdi, <usize>frame.rsi);
    case 126:
      return sysCapset(<usize>frame.rdi, <usize>frame.rsi);
    case 127:
      return sysRtSigpending(<usize>frame.rdi, <usize>frame.rsi);
    case 128:
      return sysRtSigtimedwait(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 129:
      return sysRtSigqueueinfo(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 130:
      return sysRtSigsuspend(<usize>frame.rdi, <usize>frame.rsi);
    case 131:
      return sysSigaltstack(<usize>frame.rdi, <usize>frame.rsi);
    case 132:
      return sysUtime(<usize>frame.rdi, <usize>frame.rsi);
    case 133:
      return sysMknod(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 135:
      return sysPersonality(<u32>frame.rdi);
    case 136:
      return sysUstat(<u32>frame.rdi, <usize>frame.rsi);
    case 137:
      return sysStatfs(<usize>frame.rdi, <usize>frame.rsi);
    case 138:
      return sysFstatfs(<i32>frame.rdi, <usize>frame.rsi);
    case 140:
      return sysGetpriority(<i32>frame.rdi, <i32>frame.rsi);
    case 141:
      return sysSetpriority(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx);
    case 142:
      return sysSchedSetparam(<i32>frame.rdi, <usize>frame.rsi);
    case 143:
      return sysSchedGetparam(<i32>frame.rdi, <usize>frame.rsi);
    case 144:
      return sysSchedSetscheduler(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 145:
      return sysSchedGetscheduler(<i32>frame.rdi);
    case 146:
      return sysSchedGetPriorityMax(<i32>frame.rdi);
    case 147:
      return sysSchedGetPriorityMin(<i32>frame.rdi);
    case 148:
      return sysSchedRrGetInterval(<i32>frame.rdi, <usize>frame.rsi);
    case 149:
      return sysMlock(<usize>frame.rdi, <usize>frame.rsi);
    case 150:
      return sysMunlock(<usize>frame.rdi, <usize>frame.rsi);
    case 151:
      return sysMlockall(<u32>frame.rdi);
    case 152:
      return sysMunlockall();
    case 157:
      return sysPrctl(<i32>frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8);
    case 158:
      return sysArchPrctl(<i32>frame.rdi, frame.rsi);
    case 159:
      return sysAdjtimex(<usize>frame.rdi);
    case 160:
      return sysSetrlimit(<u32>frame.rdi, <usize>frame.rsi);
    case 161:
      return sysChroot(<usize>frame.rdi);
    case 162:
      return sysSync();
    case 163:
      return sysAcct(<usize>frame.rdi);
    case 164:
      return sysSettimeofday(<usize>frame.rdi, <usize>frame.rsi);
    case 167:
      return sysSwapon(<usize>frame.rdi, <i32>frame.rsi);
    case 168:
      return sysSwapoff(<usize>frame.rdi);
    case 169:
      return sysReboot(<u32>frame.rdi, <u32>frame.rsi, <u32>frame.rdx, <usize>frame.r10);
    case 170:
      return sysSethostname(<usize>frame.rdi, <usize>frame.rsi);
    case 171:
      return sysSetdomainname(<usize>frame.rdi, <usize>frame.rsi);
    case 179:
      return sysQuotactl(<u32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 186:
      return sysGettid();
    case 187:
      return sysReadahead(<i32>frame.rdi, <i64>frame.rsi, <usize>frame.rdx);
    case 188:
      return sysSetxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <i32>frame.r8);
    case 189:
      return sysLsetxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <i32>frame.r8);
    case 190:
      return sysFsetxattr(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <i32>frame.r8);
    case 191:
      return sysGetxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 192:
      return sysLgetxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 193:
      return sysFgetxattr(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 194:
      return sysListxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 195:
      return sysLlistxattr(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 196:
      return sysFlistxattr(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 197:
      return sysRemovexattr(<usize>frame.rdi, <usize>frame.rsi);
    case 198:
      return sysLremovexattr(<usize>frame.rdi, <usize>frame.rsi);
    case 199:
      return sysFremovexattr(<i32>frame.rdi, <usize>frame.rsi);
    case 200:
      return sysTkill(<i32>frame.rdi, <i32>frame.rsi);
    case 201:
      return sysTime(<usize>frame.rdi);
    case 202:
      return sysFutex(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx, <usize>frame.r10, <usize>frame.r8, <u32>frame.r9);
    case 203:
      return sysSchedSetaffinity(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx);
    case 204:
      return sysSchedGetaffinity(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx);
    case 206:
      return sysIoSetup(<u32>frame.rdi, <usize>frame.rsi);
    case 207:
      return sysIoDestroy(<usize>frame.rdi);
    case 208:
      return sysIoGetevents(<usize>frame.rdi, <i64>frame.rsi, <i64>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 209:
      return sysIoSubmit(<usize>frame.rdi, <i64>frame.rsi, <usize>frame.rdx);
    case 210:
      return sysIoCancel(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 213:
      return sysEpollCreate(<i32>frame.rdi);
    case 216:
      return sysRemapFilePages(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 217:
      return sysGetdents64(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 218:
      return sysSetTidAddress(<usize>frame.rdi);
    case 219:
      return sysRestartSyscall();
    case 220:
      return sysSemtimedop(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 221:
      return sysFadvise64(<i32>frame.rdi, <i64>frame.rsi, <i64>frame.rdx, <i32>frame.r10);
    case 222:
      return sysTimerCreate(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 223:
      return sysTimerSettime(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 224:
      return sysTimerGettime(<i32>frame.rdi, <usize>frame.rsi);
    case 225:
      return sysTimerGetoverrun(<i32>frame.rdi);
    case 226:
      return sysTimerDelete(<i32>frame.rdi);
    case 227:
      return sysClockSettime(<i32>frame.rdi, <usize>frame.rsi);
    case 228:
      return sysClockGettime(<i32>frame.rdi, <usize>frame.rsi);
    case 229:
      return sysClockGetres(<i32>frame.rdi, <usize>frame.rsi);
    case 230:
      return sysClockNanosleep(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 231:
      return sysExitGroup(<i32>frame.rdi);
    case 232:
      return sysEpollWait(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i32>frame.r10);
    case 233:
      return sysEpollCtl(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 234:
      return sysTgkill(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx);
    case 235:
      return sysUtimes(<usize>frame.rdi, <usize>frame.rsi);
    case 237:
      return sysMbind(<usize>frame.rdi, <usize>frame.rsi, frame.rdx, <usize>frame.r10, frame.r8, <u32>frame.r9);
    case 238:
      return sysSetMempolicy(<i32>frame.rdi, <usize>frame.rsi, frame.rdx);
    case 239:
      return sysGetMempolicy(<usize>frame.rdi, <usize>frame.rsi, frame.rdx, <usize>frame.r10, frame.r8);
    case 240:
      return sysMqOpen(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx, <usize>frame.r10);
    case 241:
      return sysMqUnlink(<usize>frame.rdi);
    case 242:
      return sysMqTimedsend(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10, <usize>frame.r8);
    case 243:
      return sysMqTimedreceive(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 244:
      return sysMqNotify(<i32>frame.rdi, <usize>frame.rsi);
    case 245:
      return sysMqGetsetattr(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 247:
      return sysWaitid(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx, <u32>frame.r10, <usize>frame.r8);
    case 251:
      return sysIoprioSet(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx);
    case 252:
      return sysIoprioGet(<i32>frame.rdi, <i32>frame.rsi);
    case 253:
      return sysInotifyInit();
    case 254:
      return sysInotifyAddWatch(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 255:
      return sysInotifyRmWatch(<i32>frame.rdi, <i32>frame.rsi);
    case 256:
      return sysMigratePages(<i32>frame.rdi, frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 257:
      return sysOpenat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 258:
      return sysMkdirat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 259:
      return sysMknodat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 260:
      return sysFchownat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10, <u32>frame.r8);
    case 261:
      return sysFutimesat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 262:
      return sysNewfstatat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 263:
      return sysUnlinkat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 264:
      return sysRenameat(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 265:
      return sysLinkat(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 266:
      return sysSymlinkat(<usize>frame.rdi, <i32>frame.rsi, <usize>frame.rdx);
    case 267:
      return sysReadlinkat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <i32>frame.r10);
    case 268:
      return sysFchmodat(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 269:
      return sysFaccessat(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx);
    case 270:
      return sysPselect6(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8, <usize>frame.r9);
    case 271:
      return sysPpoll(<usize>frame.rdi, <u32>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8);
    case 272:
      return sysUnshare(frame.rdi);
    case 273:
      return sysSetRobustList(<usize>frame.rdi, <usize>frame.rsi);
    case 274:
      return sysGetRobustList(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 275:
      return sysSplice(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <usize>frame.r8, <u32>frame.r9);
    case 276:
      return sysTee(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 277:
      return sysSyncFileRange(<i32>frame.rdi, <i64>frame.rsi, <i64>frame.rdx, <u32>frame.r10);
    case 278:
      return sysVmsplice(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 279:
      return sysMovePages(<i32>frame.rdi, frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8, <u32>frame.r9);
    case 280:
      return sysUtimensat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 281:
      return sysEpollPwait(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i32>frame.r10, <usize>frame.r8, <usize>frame.r9);
    case 282:
      return sysSignalfd(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 283:
      return sysTimerfdCreate(<i32>frame.rdi, <u32>frame.rsi);
    case 284:
      return sysEventfd(<u32>frame.rdi);
    case 285:
      return sysFallocate(<i32>frame.rdi, <i32>frame.rsi, <i64>frame.rdx, <i64>frame.r10);
    case 286:
      return sysTimerfdSettime(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 287:
      return sysTimerfdGettime(<i32>frame.rdi, <usize>frame.rsi);
    case 288:
      return sysAccept4(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 289:
      return sysSignalfd4(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 290:
      return sysEventfd2(<u32>frame.rdi, <u32>frame.rsi);
    case 291:
      return sysEpollCreate1(<u32>frame.rdi);
    case 292:
      return sysDup3(<i32>frame.rdi, <i32>frame.rsi, <u32>frame.rdx);
    case 293:
      return sysPipe2(<usize>frame.rdi, <u32>frame.rsi);
    case 294:
      return sysInotifyInit1(<u32>frame.rdi);
    case 295:
      return sysPreadv(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i64>frame.r10);
    case 296:
      return sysPwritev(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i64>frame.r10);
    case 297:
      return sysRtTgsigqueueinfo(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 299:
      return sysRecvmmsg(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10, <usize>frame.r8);
    case 302:
      return sysPrlimit64(<i32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 303:
      return sysNameToHandleAt(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 304:
      return sysOpenByHandleAt(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 305:
      return sysClockAdjtime(<i32>frame.rdi, <usize>frame.rsi);
    case 306:
      return sysSyncfs(<i32>frame.rdi);
    case 307:
      return sysSendmmsg(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 308:
      return sysSetns(<i32>frame.rdi, <i32>frame.rsi);
    case 309:
      return sysGetcpu(<usize>frame.rdi, <usize>frame.rsi, <usize>frame.rdx);
    case 310:
      return sysProcessVmReadv(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8, frame.r9);
    case 311:
      return sysProcessVmWritev(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <usize>frame.r8, frame.r9);
    case 312:
      return sysKcmp(<i32>frame.rdi, <i32>frame.rsi, <i32>frame.rdx, frame.r10, frame.r8);
    case 314:
      return sysSchedSetattr(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 315:
      return sysSchedGetattr(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 316:
      return sysRenameat2(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 317:
      return sysSeccomp(<u32>frame.rdi, <u32>frame.rsi, <usize>frame.rdx);
    case 318:
      return sysGetrandom(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 319:
      return sysMemfdCreate(<usize>frame.rdi, <u32>frame.rsi);
    case 322:
      return sysExecveat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10, <u32>frame.r8);
    case 324:
      return sysMembarrier(<i32>frame.rdi, <u32>frame.rsi, <i32>frame.rdx);
    case 325:
      return sysMlock2(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx);
    case 326:
      return sysCopyFileRange(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <usize>frame.r8, <u32>frame.r9);
    case 327:
      return sysPreadv2(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i64>frame.r10, frame.r8, <u32>frame.r9);
    case 328:
      return sysPwritev2(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <i64>frame.r10, frame.r8, <u32>frame.r9);
    case 329:
      return sysPkeyMprotect(<usize>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <i32>frame.r10);
    case 330:
      return sysPkeyAlloc(<u32>frame.rdi, <u32>frame.rsi);
    case 331:
      return sysPkeyFree(<i32>frame.rdi);
    case 332:
      return sysStatx(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10, <usize>frame.r8);
    case 333:
      return sysIoPgetevents(<usize>frame.rdi, <i64>frame.rsi, <i64>frame.rdx, <usize>frame.r10, <usize>frame.r8, <usize>frame.r9);
    case 334:
      return sysRseq(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 424:
      return sysPidfdSendSignal(<i32>frame.rdi, <i32>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 434:
      return sysPidfdOpen(<i32>frame.rdi, <u32>frame.rsi);
    case 435:
      return sysClone3(<usize>frame.rdi, <usize>frame.rsi);
    case 436:
      return sysCloseRange(<u32>frame.rdi, <u32>frame.rsi, <u32>frame.rdx);
    case 437:
      return sysOpenat2(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <usize>frame.r10);
    case 438:
      return sysPidfdGetfd(<i32>frame.rdi, <i32>frame.rsi, <u32>frame.rdx);
    case 439:
      return sysFaccessat2(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <u32>frame.r10);
    case 440:
      return sysProcessMadvise(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <i32>frame.r10, <u32>frame.r8);
    case 441:
      return sysEpollPwait2(<i32>frame.rdi, <usize>frame.rsi, <i32>frame.rdx, <usize>frame.r10, <usize>frame.r8, <usize>frame.r9);
    case 443:
      return sysQuotactlFd(<i32>frame.rdi, <u32>frame.rsi, <i32>frame.rdx, <usize>frame.r10);
    case 449:
      return sysFutexWaitv(<usize>frame.rdi, <u32>frame.rsi, <u32>frame.rdx, <usize>frame.r10, <i32>frame.r8);
    case 450:
      return sysSetMempolicyHomeNode(<usize>frame.rdi, <usize>frame.rsi, frame.rdx, frame.r10);
    case 451:
      return sysCachestat(<i32>frame.rdi, <usize>frame.rsi, <usize>frame.rdx, <u32>frame.r10);
    case 452:
      return sysFchmodat2(<i32>frame.rdi, <usize>frame.rsi, <u32>frame.rdx, <u32>frame.r10);
    case 454:
      return sysFutexWake(<usize>frame.rdi, frame.rsi, <i32>frame.rdx, <u32>frame.r10);
    case 455:
      return sysFutexWait(<usize>frame.rdi, frame.rsi, frame.rdx, <u32>frame.r10, <usize>frame.r8, <i32>frame.r9);
    case 456:
      return sysFutexRequeue(<usize>frame.rdi, <u32>frame.rsi, <i32>frame.rdx, <i32>frame.r10);
    default:
      return -ENOSYS;
  }
}

/** The name of system call `nr`, for reports; empty if the number is unknown. */
export function syscallName(nr: u32): string {
  switch (nr) {
    case 0:
      return "read";
    case 1:
      return "write";
    case 2:
      return "open";
    case 3:
      return "close";
    case 4:
      return "stat";
    case 5:
      return "fstat";
    case 6:
      return "lstat";
    case 7:
      return "poll";
    case 8:
      return "lseek";
    case 9:
      return "mmap";
    case 10:
      return "mprotect";
    case 11:
      return "munmap";
    case 12:
      return "brk";
    case 13:
      return "rt_sigaction";
    case 14:
      return "rt_sigprocmask";
    case 15:
      return "rt_sigreturn";
    case 16:
      return "ioctl";
    case 17:
      return "pread64";
    case 18:
      return "pwrite64";
    case 19:
      return "readv";
    case 20:
      return "writev";
    case 21:
      return "access";
    case 22:
      return "pipe";
    case 23:
      return "select";
    case 24:
      return "sched_yield";
    case 25:
      return "mremap";
    case 26:
      return "msync";
    case 27:
      return "mincore";
    case 28:
      return "madvise";
    case 29:
      return "shmget";
    case 30:
      return "shmat";
    case 31:
      return "shmctl";
    case 32:
      return "dup";
    case 33:
      return "dup2";
    case 34:
      return "pause";
    case 35:
      return "nanosleep";
    case 36:
      return "getitimer";
    case 37:
      return "alarm";
    case 38:
      return "setitimer";
    case 39:
      return "getpid";
    case 40:
      return "sendfile";
    case 41:
      return "socket";
    case 42:
      return "connect";
    case 43:
      return "accept";
    case 44:
      return "sendto";
    case 45:
      return "recvfrom";
    case 46:
      return "sendmsg";
    case 47:
      return "recvmsg";
    case 48:
      return "shutdown";
    case 49:
      return "bind";
    case 50:
      return "listen";
    case 51:
      return "getsockname";
    case 52:
      return "getpeername";
    case 53:
      return "socketpair";
    case 54:
      return "setsockopt";
    case 55:
      return "getsockopt";
    case 56:
      return "clone";
    case 57:
      return "fork";
    case 58:
      return "vfork";
    case 59:
      return "execve";
    case 60:
      return "exit";
    case 61:
      return "wait4";
    case 62:
      return "kill";
    case 63:
      return "uname";
    case 64:
      return "semget";
    case 65:
      return "semop";
    case 66:
      return "semctl";
    case 67:
      return "shmdt";
    case 68:
      return "msgget";
    case 69:
      return "msgsnd";
    case 70:
      return "msgrcv";
    case 71:
      return "msgctl";
    case 72:
      return "fcntl";
    case 73:
      return "flock";
    case 74:
      return "fsync";
    case 75:
      return "fdatasync";
    case 76:
      return "truncate";
    case 77:
      return "ftruncate";
    case 78:
      return "getdents";
    case 79:
      return "getcwd";
    case 80:
      return "chdir";
    case 81:
      return "fchdir";
    case 82:
      return "rename";
    case 83:
      return "mkdir";
    case 84:
      return "rmdir";
    case 85:
      return "creat";
    case 86:
      return "link";
    case 87:
      return "unlink";
    case 88:
      return "symlink";
    case 89:
      return "readlink";
    case 90:
      return "chmod";
    case 91:
      return "fchmod";
    case 92:
      return "chown";
    case 93:
      return "fchown";
    case 94:
      return "lchown";
    case 95:
      return "umask";
    case 96:
      return "gettimeofday";
    case 97:
      return "getrlimit";
    case 98:
      return "getrusage";
    case 99:
      return "sysinfo";
    case 100:
      return "times";
    case 101:
      return "ptrace";
    case 102:
      return "getuid";
    case 103:
      return "syslog";
    case 104:
      return "getgid";
    case 105:
      return "setuid";
    case 106:
      return "setgid";
    case 107:
      return "geteuid";
    case 108:
      return "getegid";
    case 109:
      return "setpgid";
    case 110:
      return "getppid";
    case 111:
      return "getpgrp";
    case 112:
      return "setsid";
    case 113:
      return "setreuid";
    case 114:
      return "setregid";
    case 115:
      return "getgroups";
    case 116:
      return "setgroups";
    case 117:
      return "setresuid";
    case 118:
      return "getresuid";
    case 119:
      return "setresgid";
    case 120:
      return "getresgid";
    case 121:
      return "getpgid";
    case 122:
      return "setfsuid";
    case 123:
      return "setfsgid";
    case 124:
      return "getsid";
    case 125:
      return "capget";
    case 126:
      return "capset";
    case 127:
      return "rt_sigpending";
    case 128:
      return "rt_sigtimedwait";
    case 129:
      return "rt_sigqueueinfo";
    case 130:
      return "rt_sigsuspend";
    case 131:
      return "sigaltstack";
    case 132:
      return "utime";
    case 133:
      return "mknod";
    case 134:
      return "uselib";
    case 135:
      return "personality";
    case 136:
      return "ustat";
    case 137:
      return "statfs";
    case 138:
      return "fstatfs";
    case 139:
      return "sysfs";
    case 140:
      return "getpriority";
    case 141:
      return "setpriority";
    case 142:
      return "sched_setparam";
    case 143:
      return "sched_getparam";
    case 144:
      return "sched_setscheduler";
    case 145:
      return "sched_getscheduler";
    case 146:
      return "sched_get_priority_max";
    case 147:
      return "sched_get_priority_min";
    case 148:
      return "sched_rr_get_interval";
    case 149:
      return "mlock";
    case 150:
      return "munlock";
    case 151:
      return "mlockall";
    case 152:
      return "munlockall";
    case 153:
      return "vhangup";
    case 154:
      return "modify_ldt";
    case 155:
      return "pivot_root";
    case 156:
      return "_sysctl";
    case 157:
      return "prctl";
    case 158:
      return "arch_prctl";
    case 159:
      return "adjtimex";
    case 160:
      return "setrlimit";
    case 161:
      return "chroot";
    case 162:
      return "sync";
    case 163:
      return "acct";
    case 164:
      return "settimeofday";
    case 165:
      return "mount";
    case 166:
      return "umount2";
    case 167:
      return "swapon";
    case 168:
      return "swapoff";
    case 169:
      return "reboot";
    case 170:
      return "sethostname";
    case 171:
      return "setdomainname";
    case 172:
      return "iopl";
    case 173:
      return "ioperm";
    case 174:
      return "create_module";
    case 175:
      return "init_module";
    case 176:
      return "delete_module";
    case 177:
      return "get_kernel_syms";
    case 178:
      return "query_module";
    case 179:
      return "quotactl";
    case 180:
      return "nfsservctl";
    case 181:
      return "getpmsg";
    case 182:
      return "putpmsg";
    case 183:
      return "afs_syscall";
    case 184:
      return "tuxcall";
    case 185:
      return "security";
    case 186:
      return "gettid";
    case 187:
      return "readahead";
    case 188:
      return "setxattr";
    case 189:
      return "lsetxattr";
    case 190:
      return "fsetxattr";
    case 191:
      return "getxattr";
    case 192:
      return "lgetxattr";
    case 193:
      return "fgetxattr";
    case 194:
      return "listxattr";
    case 195:
      return "llistxattr";
    case 196:
      return "flistxattr";
    case 197:
      return "removexattr";
    case 198:
      return "lremovexattr";
    case 199:
      return "fremovexattr";
    case 200:
      return "tkill";
    case 201:
      return "time";
    case 202:
      return "futex";
    case 203:
      return "sched_setaffinity";
    case 204:
      return "sched_getaffinity";
    case 205:
      return "set_thread_area";
    case 206:
      return "io_setup";
    case 207:
      return "io_destroy";
    case 208:
      return "io_getevents";
    case 209:
      return "io_submit";
    case 210:
      return "io_cancel";
    case 211:
      return "get_thread_area";
    case 212:
      return "lookup_dcookie";
    case 213:
      return "epoll_create";
    case 214:
      return "epoll_ctl_old";
    case 215:
      return "epoll_wait_old";
    case 216:
      return "remap_file_pages";
    case 217:
      return "getdents64";
    case 218:
      return "set_tid_address";
    case 219:
      return "restart_syscall";
    case 220:
      return "semtimedop";
    case 221:
      return "fadvise64";
    case 222:
      return "timer_create";
    case 223:
      return "timer_settime";
    case 224:
      return "timer_gettime";
    case 225:
      return "timer_getoverrun";
    case 226:
      return "timer_delete";
    case 227:
      return "clock_settime";
    case 228:
      return "clock_gettime";
    case 229:
      return "clock_getres";
    case 230:
      return "clock_nanosleep";
    case 231:
      return "exit_group";
    case 232:
      return "epoll_wait";
    case 233:
      return "epoll_ctl";
    case 234:
      return "tgkill";
    case 235:
      return "utimes";
    case 236:
      return "vserver";
    case 237:
      return "mbind";
    case 238:
      return "set_mempolicy";
    case 239:
      return "get_mempolicy";
    case 240:
      return "mq_open";
    case 241:
      return "mq_unlink";
    case 242:
      return "mq_timedsend";
    case 243:
      return "mq_timedreceive";
    case 244:
      return "mq_notify";
    case 245:
      return "mq_getsetattr";
    case 246:
      return "kexec_load";
    case 247:
      return "waitid";
    case 248:
      return "add_key";
    case 249:
      return "request_key";
    case 250:
      return "keyctl";
    case 251:
      return "ioprio_set";
    case 252:
      return "ioprio_get";
    case 253:
      return "inotify_init";
    case 254:
      return "inotify_add_watch";
    case 255:
      return "inotify_rm_watch";
    case 256:
      return "migrate_pages";
    case 257:
      return "openat";
    case 258:
      return "mkdirat";
    case 259:
      return "mknodat";
    case 260:
      return "fchownat";
    case 261:
      return "futimesat";
    case 262:
      return "newfstatat";
    case 263:
      return "unlinkat";
    case 264:
      return "renameat";
    case 265:
      return "linkat";
    case 266:
      return "symlinkat";
    case 267:
      return "readlinkat";
    case 268:
      return "fchmodat";
    case 269:
      return "faccessat";
    case 270:
      return "pselect6";
    case 271:
      return "ppoll";
    case 272:
      return "unshare";
    case 273:
      return "set_robust_list";
    case 274:
      return "get_robust_list";
    case 275:
      return "splice";
    case 276:
      return "tee";
    case 277:
      return "sync_file_range";
    case 278:
      return "vmsplice";
    case 279:
      return "move_pages";
    case 280:
      return "utimensat";
    case 281:
      return "epoll_pwait";
    case 282:
      return "signalfd";
    case 283:
      return "timerfd_create";
    case 284:
      return "eventfd";
    case 285:
      return "fallocate";
    case 286:
      return "timerfd_settime";
    case 287:
      return "timerfd_gettime";
    case 288:
      return "accept4";
    case 289:
      return "signalfd4";
    case 290:
      return "eventfd2";
    case 291:
      return "epoll_create1";
    case 292:
      return "dup3";
    case 293:
      return "pipe2";
    case 294:
      return "inotify_init1";
    case 295:
      return "preadv";
    case 296:
      return "pwritev";
    case 297:
      return "rt_tgsigqueueinfo";
    case 298:
      return "perf_event_open";
    case 299:
      return "recvmmsg";
    case 300:
      return "fanotify_init";
    case 301:
      return "fanotify_mark";
    case 302:
      return "prlimit64";
    case 303:
      return "name_to_handle_at";
    case 304:
      return "open_by_handle_at";
    case 305:
      return "clock_adjtime";
    case 306:
      return "syncfs";
    case 307:
      return "sendmmsg";
    case 308:
      return "setns";
    case 309:
      return "getcpu";
    case 310:
      return "process_vm_readv";
    case 311:
      return "process_vm_writev";
    case 312:
      return "kcmp";
    case 313:
      return "finit_module";
    case 314:
      return "sched_setattr";
    case 315:
      return "sched_getattr";
    case 316:
      return "renameat2";
    case 317:
      return "seccomp";
    case 318:
      return "getrandom";
    case 319:
      return "memfd_create";
    case 320:
      return "kexec_file_load";
    case 321:
      return "bpf";
    case 322:
      return "execveat";
    case 323:
      return "userfaultfd";
    case 324:
      return "membarrier";
    case 325:
      return "mlock2";
    case 326:
      return "copy_file_range";
    case 327:
      return "preadv2";
    case 328:
      return "pwritev2";
    case 329:
      return "pkey_mprotect";
    case 330:
      return "pkey_alloc";
    case 331:
      return "pkey_free";
    case 332:
      return "statx";
    case 333:
      return "io_pgetevents";
    case 334:
      return "rseq";
    case 424:
      return "pidfd_send_signal";
    case 425:
      return "io_uring_setup";
    case 426:
      return "io_uring_enter";
    case 427:
      return "io_uring_register";
    case 428:
      return "open_tree";
    case 429:
      return "move_mount";
    case 430:
      return "fsopen";
    case 431:
      return "fsconfig";
    case 432:
      return "fsmount";
    case 433:
      return "fspick";
    case 434:
      return "pidfd_open";
    case 435:
      return "clone3";
    case 436:
      return "close_range";
    case 437:
      return "openat2";
    case 438:
      return "pidfd_getfd";
    case 439:
      return "faccessat2";
    case 440:
      return "process_madvise";
    case 441:
      return "epoll_pwait2";
    case 442:
      return "mount_setattr";
    case 443:
      return "quotactl_fd";
    case 444:
      return "landlock_create_ruleset";
    case 445:
      return "landlock_add_rule";
    case 446:
      return "landlock_restrict_self";
    case 447:
      return "memfd_secret";
    case 448:
      return "process_mrelease";
    case 449:
      return "futex_waitv";
    case 450:
      return "set_mempolicy_home_node";
    case 451:
      return "cachestat";
    case 452:
      return "fchmodat2";
    case 453:
      return "map_shadow_stack";
    case 454:
      return "futex_wake";
    case 455:
      return "futex_wait";
    case 456:
      return "futex_requeue";
    case 457:
      return "statmount";
    case 458:
      return "listmount";
    case 459:
      return "lsm_get_self_attr";
    case 460:
      return "lsm_set_self_attr";
    case 461:
      return "lsm_list_modules";
    case 462:
      return "mseal";
    default:
      return "";
  }
}

/** How many arguments system call `nr` has; 6 if it is unknown. */
export function parameterCount(nr: u32): u32 {
  switch (nr) {
    case 15:
    case 24:
    case 34:
    case 39:
    case 57:
    case 58:
    case 102:
    case 104:
    case 107:
    case 108:
    case 110:
    case 111:
    case 112:
    case 152:
    case 162:
    case 186:
    case 219:
    case 253:
      return 0;
    case 3:
    case 12:
    case 22:
    case 32:
    case 37:
    case 60:
    case 63:
    case 67:
    case 74:
    case 75:
    case 80:
    case 81:
    case 84:
    case 87:
    case 95:
    case 99:
    case 100:
    case 105:
    case 106:
    case 121:
    case 122:
    case 123:
    case 124:
    case 135:
    case 145:
    case 146:
    case 147:
    case 151:
    case 159:
    case 161:
    case 163:
    case 168:
    case 201:
    case 207:
    case 213:
    case 218:
    case 225:
    case 226:
    case 231:
    case 241:
    case 272:
    case 284:
    case 291:
    case 294:
    case 306:
    case 331:
      return 1;
    case 4:
    case 5:
    case 6:
    case 11:
    case 21:
    case 33:
    case 35:
    case 36:
    case 48:
    case 50:
    case 62:
    case 68:
    case 73:
    case 76:
    case 77:
    case 79:
    case 82:
    case 83:
    case 85:
    case 86:
    case 88:
    case 90:
    case 91:
    case 96:
    case 97:
    case 98:
    case 109:
    case 113:
    case 114:
    case 115:
    case 116:
    case 125:
    case 126:
    case 127:
    case 130:
    case 131:
    case 132:
    case 136:
    case 137:
    case 138:
    case 140:
    case 142:
    case 143:
    case 148:
    case 149:
    case 150:
    case 158:
    case 160:
    case 164:
    case 167:
    case 170:
    case 171:
    case 197:
    case 198:
    case 199:
    case 200:
    case 206:
    case 224:
    case 227:
    case 228:
    case 229:
    case 235:
    case 244:
    case 252:
    case 255:
    case 273:
    case 283:
    case 287:
    case 290:
    case 293:
    case 305:
    case 308:
    case 319:
    case 330:
    case 434:
    case 435:
      return 2;
    case 0:
    case 1:
    case 2:
    case 7:
    case 8:
    case 10:
    case 16:
    case 19:
    case 20:
    case 26:
    case 27:
    case 28:
    case 29:
    case 30:
    case 31:
    case 38:
    case 41:
    case 42:
    case 43:
    case 46:
    case 47:
    case 49:
    case 51:
    case 52:
    case 59:
    case 64:
    case 65:
    case 71:
    case 72:
    case 78:
    case 89:
    case 92:
    case 93:
    case 94:
    case 103:
    case 117:
    case 118:
    case 119:
    case 120:
    case 129:
    case 133:
    case 141:
    case 144:
    case 187:
    case 194:
    case 195:
    case 196:
    case 203:
    case 204:
    case 209:
    case 210:
    case 217:
    case 222:
    case 234:
    case 238:
    case 245:
    case 251:
    case 254:
    case 258:
    case 261:
    case 263:
    case 266:
    case 268:
    case 269:
    case 274:
    case 282:
    case 292:
    case 304:
    case 309:
    case 314:
    case 317:
    case 318:
    case 324:
    case 325:
    case 436:
    case 438:
      return 3;
    case 13:
    case 14:
    case 17:
    case 18:
    case 40:
    case 53:
    case 61:
    case 66:
    case 69:
    case 101:
    case 128:
    case 169:
    case 179:
    case 191:
    case 192:
    case 193:
    case 220:
    case 221:
    case 223:
    case 230:
    case 232:
    case 233:
    case 240:
    case 256:
    case 257:
    case 259:
    case 262:
    case 264:
    case 267:
    case 276:
    case 277:
    case 278:
    case 280:
    case 285:
    case 286:
    case 288:
    case 289:
    case 295:
    case 296:
    case 297:
    case 302:
    case 307:
    case 315:
    case 329:
    case 334:
    case 424:
    case 437:
    case 439:
    case 443:
    case 450:
    case 451:
    case 452:
    case 454:
    case 456:
      return 4;
    case 23:
    case 25:
    case 54:
    case 55:
    case 56:
    case 70:
    case 157:
    case 188:
    case 189:
    case 190:
    case 208:
    case 216:
    case 239:
    case 242:
    case 243:
    case 247:
    case 260:
    case 265:
    case 271:
    case 299:
    case 303:
    case 312:
    case 316:
    case 322:
    case 332:
    case 440:
    case 449:
      return 5;
    default:
      return 6;
  }
}

/** Which argument of system call `nr` is a path, or -1. */
export function pathParameter(nr: u32): i32 {
  switch (nr) {
    case 2:
    case 4:
    case 6:
    case 21:
    case 59:
    case 76:
    case 80:
    case 82:
    case 83:
    case 84:
    case 85:
    case 86:
    case 87:
    case 89:
    case 90:
    case 92:
    case 94:
    case 132:
    case 133:
    case 137:
    case 161:
    case 163:
    case 167:
    case 168:
    case 188:
    case 189:
    case 191:
    case 192:
    case 194:
    case 195:
    case 197:
    case 198:
    case 235:
      return 0;
    case 88:
    case 254:
    case 257:
    case 258:
    case 259:
    case 260:
    case 261:
    case 262:
    case 263:
    case 264:
    case 265:
    case 267:
    case 268:
    case 269:
    case 280:
    case 303:
    case 316:
    case 322:
    case 332:
    case 437:
    case 439:
    case 452:
      return 1;
    case 266:
      return 2;
    default:
      return -1;
  }
}

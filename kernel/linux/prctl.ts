/**
 * prctl(2) and arch_prctl(2): settings of threads and processes.
 */
import { wrmsr, rdmsr } from "../arch/cpu";
import { EFAULT, EINVAL, EPERM } from "../lib/errno";
import { USER_END } from "../mm/layout";
import {
  changeAmbientSet,
  dropFromBoundingSet,
  readBoundingSet,
  setKeepsCapabilities,
} from "./capabilities";
import { currentLinuxThread, currentProcess } from "./process";
import { addFilter, SECCOMP_FILTER, SECCOMP_STRICT, setStrict } from "./seccomp";
import { COMM_BYTES, setThreadName } from "./thread-name";
import { copyIn, copyOut, scratch, store32, store64, userStringLength } from "./user-memory";

const PR_SET_PDEATHSIG: i32 = 1;
const PR_GET_PDEATHSIG: i32 = 2;
const PR_GET_DUMPABLE: i32 = 3;
const PR_SET_DUMPABLE: i32 = 4;
const PR_GET_KEEPCAPS: i32 = 7;
const PR_SET_KEEPCAPS: i32 = 8;
const PR_SET_NAME: i32 = 15;
const PR_GET_NAME: i32 = 16;
const PR_GET_SECCOMP: i32 = 21;
const PR_SET_SECCOMP: i32 = 22;
const PR_CAPBSET_READ: i32 = 23;
const PR_CAPBSET_DROP: i32 = 24;
const PR_SET_TIMERSLACK: i32 = 29;
const PR_GET_TIMERSLACK: i32 = 30;
const PR_SET_CHILD_SUBREAPER: i32 = 36;
const PR_GET_CHILD_SUBREAPER: i32 = 37;
const PR_SET_NO_NEW_PRIVS: i32 = 38;
const PR_GET_NO_NEW_PRIVS: i32 = 39;
const PR_SET_THP_DISABLE: i32 = 41;
const PR_GET_THP_DISABLE: i32 = 42;
const PR_CAP_AMBIENT: i32 = 47;

const DEFAULT_TIMER_SLACK_NS: u64 = 50000;

/** prctl(2). Options that nobody knows give EINVAL. */
export function sysPrctl(
  option: i32,
  argument: u64,
  argument3: u64,
  argument4: u64,
  argument5: u64,
): i64 {
  const process = currentProcess();
  switch (option) {
    case PR_SET_NAME:
      return setName(<usize>argument);
    case PR_GET_NAME:
      return copyOut(<usize>argument, currentLinuxThread().commAddress(), COMM_BYTES);
    case PR_SET_PDEATHSIG:
      if (argument > 64) return -EINVAL;
      process.parentDeathSignal = <i32>argument;
      return 0;
    case PR_GET_PDEATHSIG:
      return store32(<usize>argument, <u32>process.parentDeathSignal);
    case PR_GET_DUMPABLE:
      return process.dumpable;
    case PR_SET_DUMPABLE:
      if (argument > 1) return -EINVAL;
      process.dumpable = <u32>argument;
      return 0;
    case PR_GET_KEEPCAPS:
      return process.credentials.keepsCapabilities ? 1 : 0;
    case PR_GET_SECCOMP:
      return currentLinuxThread().seccompMode;
    case PR_SET_SECCOMP:
      if (argument == SECCOMP_STRICT) return setStrict();
      return argument == SECCOMP_FILTER ? addFilter(0, <usize>argument3) : -EINVAL;
    case PR_SET_KEEPCAPS:
      return setKeepsCapabilities(argument);
    case PR_CAPBSET_READ:
      return readBoundingSet(argument);
    case PR_CAPBSET_DROP:
      return dropFromBoundingSet(argument);
    case PR_SET_TIMERSLACK:
      process.timerSlackNs = <i64>argument <= 0 ? DEFAULT_TIMER_SLACK_NS : argument;
      return 0;
    case PR_GET_TIMERSLACK:
      return <i64>process.timerSlackNs;
    case PR_SET_CHILD_SUBREAPER:
      process.childSubreaper = argument != 0 ? 1 : 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return store32(<usize>argument, process.childSubreaper);
    case PR_SET_NO_NEW_PRIVS:
      if (argument != 1) return -EINVAL;
      process.noNewPrivileges = 1;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      return process.noNewPrivileges;
    case PR_SET_THP_DISABLE:
      if ((argument3 | argument4 | argument5) != 0) return -EINVAL;
      process.addressSpace.hasSmallPagesOnly = argument != 0;
      return 0;
    case PR_GET_THP_DISABLE:
      if ((argument | argument3 | argument4 | argument5) != 0) return -EINVAL;
      return process.addressSpace.hasSmallPagesOnly ? 1 : 0;
    case PR_CAP_AMBIENT:
      if ((argument4 | argument5) != 0) return -EINVAL;
      return changeAmbientSet(argument, argument3);
    default:
      return -EINVAL;
  }
}

function setName(address: usize): i64 {
  const length = userStringLength(address, COMM_BYTES - 1);
  if (length < 0) return -EFAULT;
  const buffer = scratch();
  if (copyIn(buffer, address, <usize>length) != 0) return -EFAULT;
  setThreadName(currentLinuxThread(), buffer, <usize>length);
  return 0;
}

const ARCH_SET_GS: i32 = 0x1001;
const ARCH_SET_FS: i32 = 0x1002;
const ARCH_GET_FS: i32 = 0x1003;
const ARCH_GET_GS: i32 = 0x1004;

const MSR_FS_BASE: u32 = 0xc0000100;
/** GS base of the application while the kernel runs. */
const MSR_KERNEL_GS_BASE: u32 = 0xc0000102;

/** arch_prctl(2): bases of the FS and GS segments (thread-local storage). */
export function sysArchPrctl(code: i32, address: u64): i64 {
  const thread = currentLinuxThread();
  switch (code) {
    case ARCH_SET_FS:
      if (address >= USER_END) return -EPERM;
      thread.fsBase = address;
      wrmsr(MSR_FS_BASE, address);
      return 0;
    case ARCH_GET_FS:
      return store64(<usize>address, rdmsr(MSR_FS_BASE));
    case ARCH_SET_GS:
      if (address >= USER_END) return -EPERM;
      thread.setGsBase(address);
      wrmsr(MSR_KERNEL_GS_BASE, address);
      return 0;
    case ARCH_GET_GS:
      return store64(<usize>address, rdmsr(MSR_KERNEL_GS_BASE));
    default:
      return -EINVAL;
  }
}

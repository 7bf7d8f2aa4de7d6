/**
 * What becomes of a system call that a signal interrupted (signal(7), "Interruption of system calls
 * and library functions by signal handlers").
 *
 * Handlers of system calls, and the files and queues below them, just return -EINTR. Which calls
 * are restarted is decided here, by number, on the way back to user mode. The call is restarted by
 * moving the program back onto its SYSCALL instruction, with rax holding the number again.
 *
 * Neighbours: `signal-deliver.ts`; `TrapFrame.errorCode` holds the number of the call.
 */
import { TrapFrame, VECTOR_MODIFIED, VECTOR_SYSCALL } from "../arch/x86_64/trapframe";
import { EINTR, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from "../lib/errno";

/** Kernel-internal: continue by restart_syscall(2) if no handler ran, else EINTR. */
export const ERESTART_RESTARTBLOCK: i32 = 516;

/** Bytes of a SYSCALL instruction. */
const SYSCALL_BYTES: u64 = 2;
const NR_RESTART_SYSCALL: u64 = 219;

/** A handler is about to run: restart the interrupted call after it, or let it fail with EINTR. */
export function prepareRestart(frame: TrapFrame, handlerRestarts: bool): void {
  if (!isInterrupted(frame)) return;
  const result = <i64>frame.rax;
  const restartable =
    result == -ERESTARTSYS || (result == -EINTR && !endsWithHandler(frame.errorCode));
  if (result == -ERESTARTNOINTR || (handlerRestarts && restartable)) again(frame, frame.errorCode);
  else frame.rax = <u64>(<i64>-EINTR);
}

/** The interruption went to nobody: the call goes on as if it had not happened. */
export function restartWithoutHandler(frame: TrapFrame): void {
  if (!isInterrupted(frame)) return;
  const result = <i64>frame.rax;
  if (result == -ERESTART_RESTARTBLOCK) again(frame, NR_RESTART_SYSCALL);
  else if (result == -EINTR && neverRestarts(frame.errorCode)) return;
  else again(frame, frame.errorCode);
}

function isInterrupted(frame: TrapFrame): bool {
  if (frame.vector != VECTOR_SYSCALL) return false;
  const result = <i64>frame.rax;
  return (
    result == -EINTR ||
    result == -ERESTARTSYS ||
    result == -ERESTARTNOINTR ||
    result == -ERESTARTNOHAND ||
    result == -ERESTART_RESTARTBLOCK
  );
}

function again(frame: TrapFrame, nr: u64): void {
  frame.rax = nr;
  frame.rip -= SYSCALL_BYTES;
  frame.vector = VECTOR_MODIFIED;
}

/** Calls that fail with EINTR after a handler whatever SA_RESTART says. */
function endsWithHandler(nr: u64): bool {
  switch (<u32>nr) {
    case 7: // poll
    case 23: // select
    case 34: // pause
    case 69: // msgsnd
    case 70: // msgrcv
    case 130: // rt_sigsuspend
    case 232: // epoll_wait
    case 270: // pselect6
    case 271: // ppoll
    case 281: // epoll_pwait
    case 441: // epoll_pwait2
      return true;
    default:
      return neverRestarts(nr);
  }
}

/** Calls that fail with EINTR even if no handler ran. */
function neverRestarts(nr: u64): bool {
  switch (<u32>nr) {
    case 35: // nanosleep
    case 65: // semop
    case 220: // semtimedop
    case 128: // rt_sigtimedwait
    case 230: // clock_nanosleep
    case 208: // io_getevents
      return true;
    default:
      return false;
  }
}

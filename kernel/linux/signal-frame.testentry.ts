/** What `signal-frame.test.ts` calls: one thread, whose kernel stack is a buffer of the test. */
import { setCurrentThreadAddress } from "../arch/cpu";
import { fpuAreaBytes, initFpu } from "../arch/x86_64/fpu";
import { TrapFrame } from "../arch/x86_64/trapframe";
import { heapAllocate } from "../mm/heap";
import {
  SIGNAL_FRAME_BYTES,
  SignalFrame,
  minimumSignalStackBytes,
  popSignalFrame,
  pushSignalFrame,
} from "./signal-frame";
import { SignalAction } from "./signal-state";
import { LinuxThread } from "./thread";

const THREAD_MEMORY_BYTES: usize = 512;

/** A thread object without a scheduler behind it. */
function makeThread(): LinuxThread {
  const address = heapAllocate(offsetof<LinuxThread>());
  memory.fill(address, 0, offsetof<LinuxThread>());
  const scratch = heapAllocate(THREAD_MEMORY_BYTES);
  store<usize>(address + offsetof<LinuxThread>("memory"), scratch);
  setCurrentThreadAddress(address);
  return changetype<LinuxThread>(address);
}

let thread = changetype<LinuxThread>(<usize>0);

/** @param fpuArea memory aligned to 64 for the FPU registers */
export function start(fpuArea: usize): u32 {
  initFpu();
  thread = makeThread();
  thread.fpuArea = fpuArea;
  return fpuAreaBytes();
}
export function setAlternateStack(base: usize, bytes: usize, flags: u32): void {
  thread.alternateStack = base;
  thread.alternateStackBytes = bytes;
  thread.alternateStackFlags = flags;
}
export function alternateStack(): usize {
  return thread.alternateStack;
}
export function push(frame: usize, action: usize, info: usize, mask: u64): bool {
  return pushSignalFrame(
    changetype<TrapFrame>(frame),
    thread,
    changetype<SignalAction>(action),
    info,
    mask,
  );
}
export function pop(frame: usize, maskOut: usize): bool {
  return popSignalFrame(changetype<TrapFrame>(frame), thread, maskOut);
}
export function frameBytes(): usize {
  return SIGNAL_FRAME_BYTES;
}
export function minimumStackBytes(): usize {
  return minimumSignalStackBytes();
}
/** Offsets that programs rely on, in the order of the test's table. */
export function offset(index: i32): usize {
  switch (index) {
    case 0:
      return offsetof<SignalFrame>("contextFlags");
    case 1:
      return offsetof<SignalFrame>("stackBase");
    case 2:
      return offsetof<SignalFrame>("r8");
    case 3:
      return offsetof<SignalFrame>("rsp");
    case 4:
      return offsetof<SignalFrame>("rip");
    case 5:
      return offsetof<SignalFrame>("cs");
    case 6:
      return offsetof<SignalFrame>("cr2");
    case 7:
      return offsetof<SignalFrame>("fpuState");
    case 8:
      return offsetof<SignalFrame>("signalMask");
    default:
      return offsetof<SignalFrame>();
  }
}

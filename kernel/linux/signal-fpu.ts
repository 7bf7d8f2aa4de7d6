/**
 * The floating-point state in a signal frame: the FXSAVE area, where the processor has XSAVE extended
 * by the XSAVE area. Linux says which it is in bytes that the processor leaves to software:
 *
 *     464  FP_XSTATE_MAGIC1 | bytes with trailing word | XCR0 components (u64) | bytes of the area
 *     end  FP_XSTATE_MAGIC2
 *
 * Intel SDM vol. 1 §10.5 (FXSAVE), §13.4 (XSAVE); Linux: struct _fpx_sw_bytes.
 * Neighbours: `signal-frame.ts`, `arch/x86_64/fpu.ts`.
 */
import {
  fpuAreaBytes,
  fpuComponents,
  fpuInitialise,
  fpuRestore,
  fpuSave,
} from "../arch/x86_64/fpu";
import { heapAllocate, heapFree } from "../mm/heap";
import { LinuxThread } from "./thread";
import { copyIn, copyOut } from "./user-memory";

const LEGACY_BYTES: u32 = 512;
/** Offset in the FXSAVE area of the words in which Linux describes what follows it. */
const SOFTWARE_WORDS: usize = 464;
const FP_XSTATE_MAGIC1: u32 = 0x46505853;
const FP_XSTATE_MAGIC2: u32 = 0x46505845;
const XSAVE_HEADER: usize = 512;
const XSAVE_HEADER_BYTES: usize = 64;
const MXCSR: usize = 24;
const MXCSR_MASK: usize = 28;
const MXCSR_DEFAULT_MASK: u32 = 0xffbf;

/** Bytes of floating-point state in a frame, its trailing word included. */
export function signalFpuBytes(): usize {
  return fpuComponents() != 0 ? <usize>fpuAreaBytes() + 4 : <usize>LEGACY_BYTES;
}

/** Writes the running thread's FPU registers to its stack; 0 or -EFAULT. */
export function copyOutFpu(thread: LinuxThread, target: usize): i64 {
  const area = thread.fpuArea;
  fpuSave(area);
  if (fpuComponents() == 0) return copyOut(target, area, LEGACY_BYTES);
  const bytes = fpuAreaBytes();
  const words = area + SOFTWARE_WORDS; // ignored by XRSTOR: ours to describe the state in
  memory.fill(words, 0, 48);
  store<u32>(words, FP_XSTATE_MAGIC1);
  store<u32>(words + 4, bytes + 4);
  store<u64>(words + 8, fpuComponents());
  store<u32>(words + 16, bytes);
  const error = copyOut(target, area, bytes);
  if (error != 0) return error;
  const end = thread.valueSlot();
  store<u32>(end, FP_XSTATE_MAGIC2);
  return copyOut(target + bytes, end, 4);
}

/**
 * Loads the FPU registers from a signal frame. The state is first copied aside: a page fault in the
 * copy may switch threads, which saves the registers over the save area.
 */
export function copyInFpu(thread: LinuxThread, source: usize): bool {
  const area = thread.fpuArea;
  if (source == 0) {
    fpuInitialise(area);
    fpuRestore(area);
    return true;
  }
  const bytes = <usize>fpuAreaBytes();
  const copy = heapAllocate(bytes);
  if (copy == 0) return false;
  memory.fill(copy, 0, bytes);
  let valid = copyIn(copy, source, LEGACY_BYTES) == 0;
  if (valid && fpuComponents() != 0) {
    if (hasExtendedState(copy, source, thread)) {
      valid = copyIn(copy + LEGACY_BYTES, source + LEGACY_BYTES, bytes - LEGACY_BYTES) == 0;
      const present = load<u64>(copy + XSAVE_HEADER) & fpuComponents();
      memory.fill(copy + XSAVE_HEADER, 0, XSAVE_HEADER_BYTES);
      store<u64>(copy + XSAVE_HEADER, present);
    } else store<u64>(copy + XSAVE_HEADER, 3);
  }
  if (valid) {
    fpuSave(area);
    const offered = load<u32>(area + MXCSR_MASK);
    const mask = offered != 0 ? offered : MXCSR_DEFAULT_MASK;
    store<u32>(copy + MXCSR, load<u32>(copy + MXCSR) & mask);
    memory.copy(area, copy, bytes);
    fpuRestore(area);
  }
  heapFree(copy);
  return valid;
}

/** True if the frame carries an XSAVE area of our size and not only the FXSAVE part. */
function hasExtendedState(copy: usize, source: usize, thread: LinuxThread): bool {
  const words = copy + SOFTWARE_WORDS;
  const bytes = fpuAreaBytes();
  if (load<u32>(words) != FP_XSTATE_MAGIC1 || load<u32>(words + 16) != bytes) return false;
  const end = thread.valueSlot();
  if (copyIn(end, source + bytes, 4) != 0) return false;
  return load<u32>(end) == FP_XSTATE_MAGIC2;
}

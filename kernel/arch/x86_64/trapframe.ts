/**
 * The registers of interrupted code, as entry.S lays them on the kernel stack. The frame of code in
 * user mode lies at the very top of its thread's kernel stack.
 */

/** `vector` of a frame made by the SYSCALL instruction; `errorCode` is then the call's number. */
export const VECTOR_SYSCALL: u64 = 0x100;

/** `vector` value that makes the return path restore every register (a handler changed the frame). */
export const VECTOR_MODIFIED: u64 = 0x101;

@unmanaged
export class TrapFrame {
  r15: u64;
  r14: u64;
  r13: u64;
  r12: u64;
  rbp: u64;
  rbx: u64;
  r11: u64;
  r10: u64;
  r9: u64;
  r8: u64;
  rax: u64;
  rcx: u64;
  rdx: u64;
  rsi: u64;
  rdi: u64;
  vector: u64;
  errorCode: u64;
  rip: u64;
  cs: u64;
  rflags: u64;
  rsp: u64;
  ss: u64;
}

/** Size of a frame in bytes. */
export const TRAP_FRAME_BYTES: usize = offsetof<TrapFrame>();

/** True if the frame is of code in user mode. */
export function isUserFrame(frame: TrapFrame): bool {
  return (frame.cs & 3) != 0;
}

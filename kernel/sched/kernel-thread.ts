/**
 * Threads that run kernel code only, and the first code that every new thread runs.
 */
import { enterUser, setInterruptsBefore } from "../arch/cpu";
import { ENOMEM } from "../lib/errno";
import { asError } from "../lib/errno";
import { exitThread, finishSwitch, startThread } from "./switch";
import { Thread, currentThread } from "./thread";

/**
 * Makes and starts a thread that calls `entry(argument)` in the kernel.
 * @returns the address of the `Thread`, or -ENOMEM
 */
export function createKernelThread(entry: (argument: usize) => void, argument: usize): usize {
  const thread = new Thread();
  if (!thread.hasStack()) {
    thread.reap();
    return asError(-ENOMEM);
  }
  thread.entry = entry;
  thread.argument = argument;
  startThread(thread);
  return changetype<usize>(thread);
}

/** Entered by the trampoline (switch.S) on the stack of a thread that runs for the first time. */
export function threadMain(): void {
  setInterruptsBefore(true);
  finishSwitch();
  const thread = currentThread();
  const entry = thread.entry;
  if (entry) entry(thread.argument);
  // A thread of an application that returned from `entry`, or has none, starts in user mode.
  if (thread.process) enterUser(changetype<usize>(thread.frame()));
  exitThread();
}

/**
 * Signals from the host to the first process: `capstan stop` asks the program to end as a shell
 * would, with SIGTERM. The stream `signals` of the console carries them, one byte each, the number
 * of the signal; `signals=port` on the command line says that it exists.
 *
 * Neighbours: `dev/console/ports` (the stream), `signal-send.ts`, `init.ts` (starts it).
 */
import { BootOption, findOption } from "../arch/bootinfo";
import { findPort } from "../dev/console/ports";
import { free } from "../lib/object";
import { log } from "../lib/log";
import { heapAllocate, heapFree } from "../mm/heap";
import { createKernelThread } from "../sched/kernel-thread";
import { familyLock, initProcess } from "./process-table";
import { SIGNAL_MAX } from "./signal-numbers";
import { sendKernelSignal } from "./signal-send";

const BUFFER_BYTES: usize = 16;

/** Starts to listen, if the host has said that it may send signals. */
export function listenForHostSignals(): void {
  const option = new BootOption();
  const isWanted = findOption("signals", option);
  free(option);
  if (isWanted) createKernelThread(listen, 0);
}

/** A thread of the kernel: sleeps in `read` until the host sends something, or closes its end. */
function listen(_argument: usize): void {
  const port = findPort("signals");
  const buffer = heapAllocate(BUFFER_BYTES);
  if (port == null || buffer == 0) {
    log("init: the host cannot send signals: its stream is missing");
    return;
  }
  for (;;) {
    const count = port.read(buffer, BUFFER_BYTES, false);
    if (count <= 0) break;
    for (let i: i64 = 0; i < count; i++) sendToInit(<i32>load<u8>(buffer + <usize>i));
  }
  heapFree(buffer);
}

function sendToInit(signal: i32): void {
  if (signal < 1 || signal > SIGNAL_MAX) return;
  familyLock.acquire();
  const first = initProcess();
  if (!first.exiting) sendKernelSignal(first, signal);
  familyLock.release();
}

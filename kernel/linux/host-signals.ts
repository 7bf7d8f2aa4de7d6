/**
 * What the host says while a program runs: signals for the first process (`capstan stop` asks the
 * program to end as a shell would, with SIGTERM), and the size of its terminal when the window
 * changes. The stream `signals` of the console carries both; `signals=port` on the command line says
 * that it exists.
 *
 *     1 to 64                                         a signal's number
 *     0x80  columns (2 bytes, little-endian)  rows    a size
 *
 * QEMU's virtio console has a message for the size, but none of its host sides sends it.
 * Neighbours: `dev/console/ports` (the stream), `signal-send.ts`, `init.ts` (starts it).
 */
import { findOption } from "../arch/bootinfo";
import { findPort } from "../dev/console/ports";
import { consoleTty } from "../dev/console/tty";
import { log } from "../lib/log";
import { heapAllocate, heapFree } from "../mm/heap";
import { createKernelThread } from "../sched/kernel-thread";
import { familyLock, initProcess } from "./process-table";
import { SIGNAL_MAX } from "./signal-numbers";
import { sendKernelSignal } from "./signal-send";

const BUFFER_BYTES: usize = 16;
/** Begins a size. */
const WINDOW_SIZE: u32 = 0x80;
const SIZE_BYTES: u32 = 4;

/** Bytes of a size that are still to come, and those that came; used by the thread only. */
let missingBytes: u32 = 0;
let size: u32 = 0;

/** Starts to listen, if the host has said that it may speak. */
export function listenForHostSignals(): void {
  if (findOption("signals")) createKernelThread(listen, 0);
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
    for (let i: i64 = 0; i < count; i++) take(<u32>load<u8>(buffer + <usize>i));
  }
  heapFree(buffer);
}

/** The next byte; a message may come in pieces. */
function take(byte: u32): void {
  if (missingBytes == 0) {
    if (byte == WINDOW_SIZE) missingBytes = SIZE_BYTES;
    else sendToInit(<i32>byte);
    return;
  }
  size = (size >> 8) | (byte << 24);
  missingBytes--;
  const tty = consoleTty();
  if (missingBytes == 0 && tty) tty.setSize(<u16>size, <u16>(size >> 16));
}

function sendToInit(signal: i32): void {
  if (signal < 1 || signal > SIGNAL_MAX) return;
  familyLock.acquire();
  const first = initProcess();
  if (!first.exiting) sendKernelSignal(first, signal);
  familyLock.release();
}

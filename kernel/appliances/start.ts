/**
 * Programs that are linked with the kernel and use its native interfaces: `appliance` on the kernel
 * command line starts the one that the words after `--` name, instead of a Linux program.
 *
 * Neighbours: `main.ts` (the boot) calls; one folder an appliance; `arguments.ts`.
 */
import { commandLineAddress, commandLineLength, findOption } from "../arch/bootinfo";
import { findPort } from "../dev/console/ports";
import { equalsLiteral, stringLength } from "../lib/bytes";
import { panic } from "../lib/panic";
import { ProgramCommand } from "../linux/command-line";
import { endWithStatus } from "../linux/machine-end";
import { beginReport, endReport, reportNumber } from "../linux/report";
import { heapAllocate } from "../mm/heap";
import { monotonicNs } from "../sched/clock";
import { createKernelThread } from "../sched/kernel-thread";
import { ApplianceArguments } from "./arguments";
import { startMemcached } from "./memcached/main";

const SIGNAL_BUFFER: usize = 16;

/** Starts the appliance that the command line asks for; false if it asks for none. */
export function startAppliance(): bool {
  if (!findOption("appliance")) return false;
  const text = commandLineAddress();
  const bytes = commandLineLength();
  const command = new ProgramCommand();
  const buffer = heapAllocate(ProgramCommand.bufferBytes(bytes));
  if (buffer == 0) panic("no memory for the command line");
  const isComplete = command.parse(text, bytes, buffer);
  const given = new ApplianceArguments(command.program);
  if (!isComplete) panic("the kernel command line names no appliance after '--'");
  const name = command.program.strings;
  if (equalsLiteral(name, stringLength(name), "memcached")) startMemcached(given);
  else given.fail("this kernel has no such appliance");
  createKernelThread(awaitEnd, 0);
  beginReport("boot");
  reportNumber("ns", <i64>monotonicNs());
  endReport();
  return true;
}

/** A thread: any signal from the host ends the machine in good order. */
function awaitEnd(_argument: usize): void {
  const port = findPort("signals");
  const buffer = heapAllocate(SIGNAL_BUFFER);
  if (port == null || buffer == 0) return; // the host ends the machine
  if (port.read(buffer, SIGNAL_BUFFER, false) > 0) endWithStatus(0);
}

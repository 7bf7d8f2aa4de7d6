/**
 * Runs a machine with QEMU. Every channel between guest and host is one end of a socket pair that
 * QEMU inherits, so that nothing listens anywhere and no file is left behind.
 *
 * Back-pressure: QEMU stops taking buffers from the guest when a socket is full, and capstan reads
 * only as fast as its own output accepts; a guest that writes too fast sleeps.
 * Neighbours: `qemu-arguments.ts` (what QEMU is told), `leash.ts` (QEMU never outlives capstan).
 */
import type { ChildProcess, StdioOptions } from "node:child_process";
import { Socket } from "node:net";
import { FatalError } from "../errors.ts";
import { signalMessage, sizeMessage } from "../protocol/host-messages.ts";
import type { Hypervisor, MachineEnding, MachineSpec, RunningMachine } from "./hypervisor.ts";
import { findLeash, type Leash } from "./leash.ts";
import { startVmm } from "./process.ts";
import { bridgeVariable, qemuArguments, qemuFd } from "./qemu-arguments.ts";

/** The QEMU at a path as a hypervisor. */
export function qemuHypervisor(qemuPath: string, leash: Leash = findLeash()): Hypervisor {
  return { start: (spec) => start(qemuPath, leash, spec) };
}

async function start(qemuPath: string, leash: Leash, spec: MachineSpec): Promise<RunningMachine> {
  const stdio: StdioOptions = [
    ...(["ignore", "ignore", "pipe"] as const),
    ...Array<"pipe">(channelCount(spec)).fill("pipe"),
  ];
  const backend = spec.network?.backend;
  const bridge = backend?.kind === "bridge" ? { [bridgeVariable]: backend.name } : {};
  const args = qemuArguments(spec, process.getuid?.() === 0);
  const env = { ...process.env, ...bridge };
  const { child, ended } = await startVmm(qemuPath, args, stdio, leash, env);
  return machineOf(child, spec, ended);
}

function machineOf(
  child: ChildProcess,
  spec: MachineSpec,
  ended: Promise<MachineEnding>,
): RunningMachine {
  const serial = channel(child, qemuFd.serial);
  const sharesSerial = spec.console === "serial";
  const input = sharesSerial ? serial : channel(child, qemuFd.stdin);
  const hasPorts = spec.console === "ports";
  // The end of a socket is noticed by reading it.
  if (hasPorts) input.resume();
  for (const fd of unusedFds(spec)) channel(child, fd).destroy();
  const signals = spec.takesSignals === true ? channel(child, qemuFd.signals) : null;
  signals?.resume();
  return {
    pid: child.pid ?? 0,
    stdin: input,
    stdout: hasPorts ? channel(child, qemuFd.stdout) : input,
    stderr: hasPorts ? channel(child, qemuFd.stderr) : null,
    log: sharesSerial ? null : serial,
    control: channel(child, qemuFd.control),
    // QEMU has no state besides: -no-shutdown is not given.
    status: async () =>
      child.exitCode === null && child.signalCode === null ? "running" : "ended",
    requestStop: async (signal) => signals?.write(signalMessage(signal)) !== undefined,
    setTerminalSize: (size) => void signals?.write(sizeMessage(size)),
    ended,
    kill: () => {
      child.kill("SIGKILL");
    },
  };
}

/** Channels after QEMU's standard error, up to the last one in use. */
function channelCount({ takesSignals }: MachineSpec): number {
  return (takesSignals === true ? qemuFd.signals : qemuFd.stderr) - 2;
}

function channel(child: ChildProcess, fd: number): Socket {
  const stream = child.stdio[fd];
  if (!(stream instanceof Socket)) throw new FatalError(`channel ${fd} to QEMU was not opened`);
  // The guest may end while capstan still writes to it; that is not an error.
  stream.on("error", () => {});
  return stream;
}

/** Descriptors that QEMU inherits in every case and that this console has no use for. */
function unusedFds(spec: MachineSpec): number[] {
  if (spec.console === "ports") return [];
  const fds = [qemuFd.stdout, qemuFd.stderr];
  return spec.console === "serial" ? [qemuFd.terminal, ...fds] : fds;
}

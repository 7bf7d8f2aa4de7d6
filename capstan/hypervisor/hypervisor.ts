/**
 * What `capstan` needs of a virtual machine monitor (VMM). One file a VMM implements `Hypervisor`;
 * `catalog.ts` lists them, `hypervisor-double.ts` is one for tests. Neighbours: `run/session.ts`
 * drives a machine.
 */
import type { Readable, Writable } from "node:stream";
import type { TerminalSize } from "../console/terminal.ts";
import type { GuestConsole } from "../protocol/command-line.ts";
import type { NetworkSpec } from "./network.ts";

/** How guest instructions are executed: in hardware by KVM or HVF, or translated by TCG. */
export type Accelerator = "kvm" | "hvf" | "tcg";

/** The emulated hardware; only QEMU has a choice. */
export type MachineType = "microvm" | "q35" | "pc";

/** A disk to start from, with boot loader, kernel, configuration and root file system on it. */
export interface BootDisk {
  readonly path: string;
  /** Name of a format in `../disk/formats.ts`. */
  readonly format: string;
}

/** A virtual machine to start. */
export interface MachineSpec {
  readonly machine: MachineType;
  readonly accelerator: Accelerator;
  readonly kernelPath: string;
  readonly commandLine: string;
  /** A file that the guest gets as its initial RAM disk. */
  readonly initrdPath?: string;
  /** Root file system, attached read-only as a virtio block device. */
  readonly rootImagePath?: string;
  /** Starts from this disk alone instead: kernel, command line and root image are on it. */
  readonly bootDisk?: BootDisk;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Whether an emulator executes all processors in one thread, see `live-code.ts`. */
  readonly hasOneThread?: boolean;
  readonly console: GuestConsole;
  /** TCP port on 127.0.0.1 for gdb; the guest waits for it. */
  readonly gdbPort?: number;
  /** A network card; none by default. */
  readonly network?: NetworkSpec;
  /** Whether the guest has a stream by which it takes signals, and its terminal's size. */
  readonly takesSignals?: boolean;
}

/** How the VMM's process ended. */
export interface MachineEnding {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the VMM itself wrote to its standard error. */
  readonly diagnostics: string;
}

/** A machine that runs. All streams end when it ends; none loses bytes before that. */
export interface RunningMachine {
  /** Process id of the VMM on the host; 0 if it has none of its own. */
  readonly pid: number;
  /** To the program's input; ending it gives the program end of file. */
  readonly stdin: Writable;
  /** From the program's standard output, or from its terminal. */
  readonly stdout: Readable;
  /** From the program's standard error; null when it has a terminal. */
  readonly stderr: Readable | null;
  /** The kernel's log; null when it shares the serial port with the program. */
  readonly log: Readable | null;
  /** The control channel. */
  readonly control: Readable;
  /** What the VMM says of the machine, in its own words: `running`, `paused` ... */
  readonly status: () => Promise<string>;
  /**
   * Asks the guest to end, by a signal to its program or by the power button.
   * @param signal Linux signal number, where the guest takes signals
   * @returns false when there is no way to ask
   */
  readonly requestStop: (signal: number) => Promise<boolean>;
  /** Tells the guest the size of its terminal; does nothing when there is no way to. */
  readonly setTerminalSize: (size: TerminalSize) => void;
  /** Resolves when the machine has ended; never rejects. */
  readonly ended: Promise<MachineEnding>;
  /** Ends the machine at once. Does nothing when it has ended. */
  readonly kill: () => void;
}

/** A virtual machine monitor. */
export interface Hypervisor {
  /**
   * Starts a machine.
   * @throws UserError when the VMM cannot be started, or lacks what is asked of it
   */
  start(spec: MachineSpec): Promise<RunningMachine>;
}
